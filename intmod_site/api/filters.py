"""Filters of lists, and the rule that an unknown one is refused.

A misspelt filter that is ignored answers with everything, which a caller then acts on.
"""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.http import QueryDict
from django_filters.fields import IsoDateTimeField
from django_filters.rest_framework import DjangoFilterBackend, IsoDateTimeFilter

from intmod_site.api.errors import FieldError, ValidationFailed
from intmod_site.api.handler import from_serializer
from intmod_site.api.strict_json import check_string

PAGING_PARAMETERS = ("cursor", "page_size")


def check_query(query: QueryDict, known: Iterable[str]) -> None:
    """Refuse parameters that are not known, given twice, or not storable as text.

    Raises:
        ValidationFailed: Naming each parameter at fault.
    """
    known = set(known)
    problems = []
    for name, values in query.lists():
        if name not in known:
            offered = ", ".join(sorted(known)) or "none"
            problems.append((name, f"Unknown parameter; this route takes: {offered}."))
        elif len(values) > 1:
            problems.append((name, "Given more than once."))
        for value in values:
            check_string(value, refuse=lambda text, name=name: ValidationFailed.of(name, text))  # type: ignore[misc]
    if problems:
        raise ValidationFailed(
            f"{problems[0][0]}: {problems[0][1]}",
            fields=tuple(
                FieldError(f"/{name}", "unknown_parameter", text) for name, text in problems
            ),
        )


class MomentField(IsoDateTimeField):
    """A moment in ISO 8601, as UTC."""

    def to_python(self, value: Any) -> datetime | None:
        """Read it; at the ends of the calendar an offset can lead out of it."""
        moment = super().to_python(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None


class MomentFilter(IsoDateTimeFilter):
    """Compares with a moment."""

    field_class = MomentField


class StrictFilterBackend(DjangoFilterBackend):
    """django-filter, with unknown parameters and bad values refused."""

    def filter_queryset(self, request: Any, queryset: Any, view: Any) -> Any:
        """Apply the view's FilterSet."""
        filterset = self.get_filterset(request, queryset, view)
        if filterset is None:
            return queryset
        if not filterset.is_valid():
            raise from_serializer(filterset.errors.get_json_data() and dict(filterset.errors))
        return filterset.qs
