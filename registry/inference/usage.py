"""Who used how much: calls, tokens and cost of a project, added up by one query."""

from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db.models import CharField, Count, F, Max, Q, Sum
from django.db.models.functions import Cast, Substr

from registry.models import InferenceRecord

GROUPS = ("model", "project", "credential", "day")
MAX_ROWS = 1000


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What one group used.

    Args:
        key: The model's name, the project, the credential, or the day in UTC.
        label: Whose credential it is; empty for other groups.
        calls, errors: All calls, and those that failed.
        input_tokens, output_tokens: Of calls where they are known.
        cost_usd: Of calls whose cost is known.
        calls_without_cost: Calls whose cost is not: where there are any, the true cost is higher.
    """

    key: str
    label: str
    calls: int
    errors: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal
    calls_without_cost: int

    def as_dict(self) -> dict[str, Any]:
        """Give it as JSON."""
        return asdict(self)


def usage_by(
    group: str, *, project_id: UUID, project_slug: str, since: datetime, until: datetime
) -> list[UsageRow]:
    """Add up a project's calls.

    Args:
        group: One of GROUPS; days in their order, all others the dearest first.
        project_id, project_slug: Which project.
        since, until: From when (included) to when (not included).

    Returns:
        At most MAX_ROWS rows.
    """
    calls = InferenceRecord.objects.filter(
        project_id=project_id, created_at__gte=since, created_at__lt=until
    )
    if group == "project":
        totals = calls.aggregate(**_SUMS)
        return [_row(project_slug, "", totals)] if totals["calls"] else []
    # Both databases write a moment's day first, and both keep moments in UTC.
    key = Substr(Cast("created_at", CharField()), 1, 10) if group == "day" else F(group)
    order = ("key",) if group == "day" else ("-cost", "-calls", "key")
    rows: Any = calls.annotate(key=key).values("key").annotate(**_SUMS, label=Max("user_label"))
    return [
        _row(row["key"], row["label"] if group == "credential" else "", row)
        for row in rows.order_by(*order)[:MAX_ROWS]
    ]


_SUMS = {
    "calls": Count("pk"),
    "errors": Count("pk", filter=Q(status__gte=400)),
    "read": Sum("input_tokens", default=0),
    "written": Sum("output_tokens", default=0),
    "cost": Sum("cost_usd", default=Decimal(0)),
    "unknown": Count("pk", filter=Q(cost_usd=None)),
}


def _row(key: str, label: str, sums: dict[str, Any]) -> UsageRow:
    return UsageRow(
        key=key,
        label=label,
        calls=sums["calls"],
        errors=sums["errors"],
        input_tokens=sums["read"],
        output_tokens=sums["written"],
        cost_usd=Decimal(sums["cost"]),
        calls_without_cost=sums["unknown"],
    )
