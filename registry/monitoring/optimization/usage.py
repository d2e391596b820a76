"""What a version was used for, and what the same usage would cost elsewhere."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, Q, Sum

from registry.models import InferenceRecord, ModelVersion
from registry.monitoring.reading import summarize

PERIOD = timedelta(days=7)
MIN_SAMPLES = 100
PER_MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Usage:
    """Seven days of a version."""

    calls: int
    input_tokens: int
    output_tokens: int
    cost_usd: Decimal | None
    overflows: int
    last_called_at: datetime | None


def usage_of(version: ModelVersion, now: datetime) -> Usage:
    """Read it from the inference log."""
    good = Q(status__lt=400)
    row = InferenceRecord.objects.filter(
        version_id=version.pk, created_at__gte=now - PERIOD, created_at__lte=now
    ).aggregate(
        calls=Count("pk"),
        input_tokens=Sum("input_tokens", filter=good),
        output_tokens=Sum("output_tokens", filter=good),
        cost_usd=Sum("cost_usd", filter=good),
        overflows=Count("pk", filter=Q(error_code="context_length_exceeded")),
        last_called_at=Max("created_at"),
    )
    return Usage(
        calls=row["calls"],
        input_tokens=row["input_tokens"] or 0,
        output_tokens=row["output_tokens"] or 0,
        cost_usd=row["cost_usd"],
        overflows=row["overflows"],
        last_called_at=row["last_called_at"],
    )


def cost_at(prices: dict[str, str], usage: Usage) -> Decimal | None:
    """Give what a usage costs at given prices; None where a price is unknown."""
    total = Decimal(0)
    for name, tokens in (
        ("input_usd_per_mtok", usage.input_tokens),
        ("output_usd_per_mtok", usage.output_tokens),
    ):
        if name not in prices:
            return None
        total += Decimal(prices[name]) * tokens / PER_MILLION
    return total


def expected_change(
    version: ModelVersion, candidate: ModelVersion, now: datetime, *, min_samples: int = MIN_SAMPLES
) -> dict[str, Any] | None:
    """Replay seven days of a version's logged usage at a candidate's prices and latency.

    Args:
        version: What was used.
        candidate: What would be used instead.
        now: The end of the seven days.
        min_samples: Calls that each must have had; below that nothing is expected.
    """
    usage = usage_of(version, now)
    latencies = [
        summarize([row.pk], "latency_ms", now - PERIOD, now) for row in (version, candidate)
    ]
    if usage.calls < min_samples or min(part.count for part in latencies) < min_samples:
        return None
    costs = [cost_at(row.prices, usage) for row in (version, candidate)]
    before, after = (part.value("p95") for part in latencies)
    change = {
        "days": PERIOD.days,
        "calls": usage.calls,
        "latency_ms_p95": [before, after],
        "cost_usd": [str(cost) if cost is not None else None for cost in costs],
    }
    if costs[0] is not None and costs[1] is not None:
        change["saved_usd"] = str(costs[0] - costs[1])
    return change
