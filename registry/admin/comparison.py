"""Two versions side by side."""

from dataclasses import dataclass
from typing import Any

from registry.models import ModelVersion

SHOWN = (
    "identifier", "label", "provider", "provider_model", "integration", "tasks", "parameters",
    "limits", "prices", "source", "digest", "tags", "status", "is_active", "created_at",
    "created_by",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One property of both."""

    name: str
    first: Any
    second: Any

    @property
    def differs(self) -> bool:
        """Whether they are not the same in it."""
        return bool(self.first != self.second)


def compare(first: ModelVersion, second: ModelVersion) -> tuple[list[Row], list[Row]]:
    """Give their properties, and their metrics: reports, and aggregates of 24 hours."""
    properties = []
    for name in SHOWN:
        column: Any = ModelVersion._meta.get_field(name)
        properties.append(Row(column.verbose_name, getattr(first, name), getattr(second, name)))
    values: dict[Any, dict[str, float]] = {first.pk: {}, second.pk: {}}
    for version in (first, second):
        for row in version.metric_values.all():
            values[version.pk][f"{row.metric}, {row.aggregation}"] = row.value
    names = sorted({*values[first.pk], *values[second.pk]})
    metrics = [Row(name, values[first.pk].get(name), values[second.pk].get(name)) for name in names]
    return properties, metrics
