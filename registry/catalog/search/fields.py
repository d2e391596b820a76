"""What can be searched by, and how each kind of column is compared."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db.models import Q
from django.utils.dateparse import parse_datetime

from intmod_site.prepared import Slot
from registry.catalog.search import patterns  # noqa: F401 -- registers `matches` and `imatches`
from registry.catalog.search.tree import Comparison, Place, Value, refuse

SUFFIXES = {"=": "", "<": "__lt", "<=": "__lte", ">": "__gt", ">=": "__gte", "IN": "__in"}
MAX_NUMBER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Column:
    """A column that comparisons may name.

    Args:
        path: Where the ORM finds it.
        read: From a comparison and one of its values to what the column holds.
        operators: Which comparisons it knows.
    """

    path: str
    read: Callable[[Comparison, Any], Any]
    operators: frozenset[str]

    def condition(self, comparison: Comparison) -> Q:
        """Give the comparison as a condition.

        Raises:
            ValidationFailed: The operator or a value does not fit the column.
        """
        operator = comparison.operator
        if operator not in self.operators:
            known = ", ".join(sorted(self.operators))
            raise refuse(
                f"{comparison.field} is compared by: {known}.", position=comparison.position
            )
        values = [self.read(comparison, value) for value in comparison.values]
        if operator == "HAS":
            return Q(**{self.path: True})
        if operator == "LIKE":
            return Q(**{f"{self.path}__matches": values[0]})
        if operator == "ILIKE":
            return Q(**{f"{self.path}__imatches": values[0]})
        if operator == "!=":
            return ~Q(**{self.path: values[0]})
        given = values if operator == "IN" else values[0]
        return Q(**{f"{self.path}{SUFFIXES[operator]}": given})


def later(read: Callable[[Comparison, Any], Any]) -> Callable[[Comparison, Any], Any]:
    """Let what reads a value give a slot for one that comes later, and read that one then."""

    def reading(comparison: Comparison, value: Value | Place) -> Any:
        if isinstance(value, Place):
            return Slot(value, (lambda filling: read(*filling),))
        return read(comparison, value)

    return reading


@later
def text_value(comparison: Comparison, value: Value) -> str:
    """Take text only."""
    if isinstance(value, str):
        return value
    raise refuse(f"{comparison.field} is compared with a 'text'.", position=comparison.position)


@later
def number_value(comparison: Comparison, value: Value) -> float:
    """Take numbers only."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise refuse(f"{comparison.field} is compared with a number.", position=comparison.position)


@later
def whole_value(comparison: Comparison, value: Value) -> int:
    """Take whole numbers, which MLflow's clients write as text too."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 12:
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        # What no column holds still compares as it should.
        return min(max(value, -1), MAX_NUMBER)
    raise refuse(
        f"{comparison.field} is compared with a whole number.", position=comparison.position
    )


@later
def _moment(comparison: Comparison, value: Value) -> datetime:
    """Take ISO 8601, or milliseconds since 1970 as MLflow counts."""
    try:
        if isinstance(value, str):
            moment = parse_datetime(value)
            if moment is not None:
                return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        elif not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        pass
    raise refuse(
        f"{comparison.field} is compared with a moment, such as '2026-11-23T06:00:00Z', or with"
        " milliseconds since 1970.",
        position=comparison.position,
    )


@later
def _flag(comparison: Comparison, value: Value) -> bool:
    if value in {"true", True}:
        return True
    if value in {"false", False}:
        return False
    raise refuse(f"{comparison.field} is true or false.", position=comparison.position)


def _text(path: str) -> Column:
    return Column(path, text_value, frozenset({"=", "!=", "LIKE", "ILIKE", "IN"}))


def _whole(path: str) -> Column:
    return Column(path, whole_value, frozenset({"=", "!=", "<", "<=", ">", ">=", "IN"}))


def _time(path: str) -> Column:
    return Column(path, _moment, frozenset({"=", "!=", "<", "<=", ">", ">="}))


_TIMES = {
    "created_at": _time("created_at"),
    "updated_at": _time("updated_at"),
    "creation_timestamp": _time("created_at"),
    "last_updated_timestamp": _time("updated_at"),
}
MODEL_COLUMNS = {
    "name": _text("name"),
    "model_type": _text("model_type"),
    "description": _text("description"),
    **_TIMES,
}
VERSION_COLUMNS = {
    "name": _text("model__name"),
    "model_name": _text("model__name"),
    "model_type": _text("model__model_type"),
    "version_number": _whole("number"),
    "number": _whole("number"),
    "run_id": _text("run_id"),
    "source_path": _text("source"),
    "source": _text("source"),
    "digest": _text("digest"),
    "label": _text("label"),
    "description": _text("description"),
    "provider": _text("provider"),
    "provider_model": _text("provider_model"),
    "model_id": _text("identifier"),
    "status": _text("status"),
    "stage": _text("stage"),
    "is_active": Column("is_active", _flag, frozenset({"=", "!=", "HAS"})),
    **_TIMES,
}
