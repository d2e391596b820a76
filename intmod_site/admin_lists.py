"""Lists of large tables in the admin: counting, filtering and paging at a bounded price."""

from datetime import timedelta
from functools import cached_property
from typing import Any, ClassVar

from django.contrib.admin import ModelAdmin, SimpleListFilter
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

COUNTED_ROWS = 10_000
"""Rows that a list counts; whoever looks for one further down narrows the list by a filter."""


class CappedPaginator(Paginator):
    """Counts up to a limit: counting a whole table takes longer than showing a page of it."""

    @cached_property
    def count(self) -> int:
        """The number of rows, at most `COUNTED_ROWS`."""
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        return rows.order_by().values("pk")[:COUNTED_ROWS].count()

    @property
    def is_capped(self) -> bool:
        """Whether there are probably more."""
        return self.count >= COUNTED_ROWS


class TextFilter(SimpleListFilter):
    """A filter into which people type, for columns with too many values to list."""

    template = "admin/text_filter.html"
    lookup: ClassVar[str]
    placeholder: ClassVar[str] = ""

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        """List nothing."""
        return []

    def has_output(self) -> bool:
        """Be there all the same."""
        return True

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Keep the rows that are equal to what was typed."""
        text = (self.value() or "").strip()
        return queryset.filter(**{self.lookup: self.read(text)}) if text else queryset

    def read(self, text: str) -> Any:
        """Turn what was typed into what is looked up."""
        return text

    def choices(self, changelist: Any) -> Any:
        """Give the template the text, and the other parameters, which its form must keep."""
        others = changelist.get_filters_params()
        others.pop(self.parameter_name, None)
        kept = [(name, value) for name, values in others.items() for value in _listed(values)]
        if changelist.query:
            kept.append(("q", changelist.query))
        yield {
            "name": self.parameter_name,
            "text": self.value() or "",
            "placeholder": self.placeholder,
            "kept": kept,
            "clear": changelist.get_query_string(remove=[self.parameter_name or ""]),
        }


class PeriodFilter(SimpleListFilter):
    """The last hour, day, week or month of a column of moments."""

    title = "time"
    parameter_name = "last"
    column: ClassVar[str] = "created_at"
    periods: ClassVar[dict[str, tuple[str, timedelta]]] = {
        "1h": ("Last hour", timedelta(hours=1)),
        "24h": ("Last 24 hours", timedelta(days=1)),
        "7d": ("Last 7 days", timedelta(days=7)),
        "30d": ("Last 30 days", timedelta(days=30)),
    }

    def lookups(self, request: HttpRequest, model_admin: ModelAdmin) -> list[tuple[str, str]]:
        """List the periods."""
        return [(key, label) for key, (label, _) in self.periods.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> QuerySet:
        """Keep the rows of the period."""
        if self.value() not in self.periods:
            return queryset
        _, length = self.periods[self.value() or ""]
        return queryset.filter(**{f"{self.column}__gte": timezone.now() - length})


def _listed(values: Any) -> list[str]:
    return values if isinstance(values, list) else [values]
