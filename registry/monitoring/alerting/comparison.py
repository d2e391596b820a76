"""When a value breaches a threshold. Pure."""

from dataclasses import dataclass

COMPARATORS = ("lt", "lte", "gt", "gte", "eq", "ne", "outside_range", "inside_range")
RANGES = ("outside_range", "inside_range")
HIGHER, LOWER, TARGET = "HIGHER", "LOWER", "TARGET"
DIRECTIONS = (HIGHER, LOWER, TARGET)
DEFAULT_COMPARATORS = {HIGHER: "lt", LOWER: "gt", TARGET: "outside_range"}
CONTRADICTIONS = {(HIGHER, "gt"), (HIGHER, "gte"), (LOWER, "lt"), (LOWER, "lte")}


@dataclass(frozen=True, slots=True)
class Bounds:
    """What is compared with: one limit, or the two of a range."""

    limit: float
    upper: float | None = None


def breaches(value: float, comparator: str, bounds: Bounds) -> bool:
    """Say whether a value breaches; true means that something is wrong."""
    limit = bounds.limit
    if comparator in RANGES:
        upper = limit if bounds.upper is None else bounds.upper
        inside = limit <= value <= upper
        return inside if comparator == "inside_range" else not inside
    return {
        "lt": value < limit,
        "lte": value <= limit,
        "gt": value > limit,
        "gte": value >= limit,
        "eq": value == limit,
        "ne": value != limit,
    }[comparator]


def has_recovered(value: float, comparator: str, recovery: float | None) -> bool:
    """Say whether a value that does not breach is far enough from the limit to be well again."""
    if recovery is None or comparator not in {"lt", "lte", "gt", "gte"}:
        return True
    return value >= recovery if comparator in {"lt", "lte"} else value <= recovery
