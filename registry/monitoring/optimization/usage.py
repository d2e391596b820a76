"""What a version was used for, and what the same usage would cost elsewhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any
from uuid import UUID

from django.db.models import Count, Q, Sum

from integrations.models import Integration
from registry.catalog.list_prices import list_rates
from registry.catalog.rates import RateCard, own_rates
from registry.models import InferenceRecord, ModelVersion
from registry.monitoring.reading import summarize

PERIOD = timedelta(days=7)
MIN_SAMPLES = 100
COST_STEP = Decimal("1e-9")
TOKENS = ("input_tokens", "output_tokens", "cached_tokens")


@dataclass(frozen=True, slots=True)
class Span:
    """Tokens of the calls that had more than some, and none more than the next span has."""

    above: int
    input_tokens: int
    output_tokens: int
    cached_tokens: int


@dataclass(frozen=True, slots=True)
class Usage:
    """Seven days of a version; tokens are those of calls that a provider answered."""

    calls: int
    spans: tuple[Span, ...]
    overflows: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """What could be used instead: its prices, and the versions whose calls tell its latency."""

    rates: RateCard | None
    version_ids: tuple[UUID, ...]


def usage_of(version: ModelVersion, now: datetime, *, bounds: Iterable[int] = ()) -> Usage:
    """Read it from the inference log: one query.

    Args:
        version: What was used.
        now: The end of the seven days.
        bounds: Input tokens above which prices change.
    """
    answered = Q(status__lt=400, from_cache=False)
    edges = [-1, *sorted(bounds), 2**31]
    sums: dict[str, Sum] = {}
    for place, (above, last) in enumerate(pairwise(edges)):
        inside = answered & Q(input_tokens__gt=above, input_tokens__lte=last)
        sums |= {f"{name}_{place}": Sum(name, filter=inside) for name in TOKENS}
    row = InferenceRecord.objects.filter(
        version_id=version.pk, created_at__gte=now - PERIOD, created_at__lte=now
    ).aggregate(
        calls=Count("pk"),
        overflows=Count("pk", filter=Q(error_code="context_length_exceeded")),
        **sums,
    )
    spans = [
        Span(above, *(row[f"{name}_{place}"] or 0 for name in TOKENS))
        for place, above in enumerate(edges[:-1])
    ]
    return Usage(row["calls"], tuple(spans), row["overflows"])


def cost_at(rates: RateCard | None, usage: Usage) -> Decimal | None:
    """Give what a usage costs in USD; None where a price is unknown."""
    if rates is None:
        return None
    total = Decimal(0)
    for span in usage.spans:
        cost = rates.cost_usd(
            input_tokens=span.input_tokens,
            output_tokens=span.output_tokens,
            cached_tokens=span.cached_tokens,
            tier_of=span.above + 1,
        )
        if cost is None:
            return None
        total += cost
    return total.quantize(COST_STEP).normalize()


def rates_at(
    prices: dict[str, str], integration: Integration | None, provider_model: str, at: datetime
) -> RateCard | None:
    """Give the prices that count: a version's own, else the vendor's list prices of a moment."""
    own = own_rates(prices)
    if own is not None or integration is None:
        return own
    return list_rates(integration.base_url.rstrip("/"), provider_model, at)


def rates_of(version: ModelVersion, at: datetime) -> RateCard | None:
    """Give a version's prices at a moment."""
    return rates_at(version.prices, version.integration, version.provider_model, at)


def expected_change(
    version: ModelVersion, candidate: Candidate, now: datetime, *, min_samples: int = MIN_SAMPLES
) -> dict[str, Any] | None:
    """Replay seven days of a version's logged usage at a candidate's prices and latency.

    Args:
        version: What was used.
        candidate: What would be used instead.
        now: The end of the seven days.
        min_samples: Calls that each must have had; below that nothing is expected.
    """
    rates = [rates_of(version, now), candidate.rates]
    bounds = {above for card in rates if card is not None for above in card.bounds}
    usage = usage_of(version, now, bounds=bounds)
    latencies = [
        summarize(ids, "latency_ms", now - PERIOD, now)
        for ids in ((version.pk,), candidate.version_ids)
    ]
    if usage.calls < min_samples or min(part.count for part in latencies) < min_samples:
        return None
    costs = [cost_at(card, usage) for card in rates]
    before, after = (part.value("p95") for part in latencies)
    change = {
        "days": PERIOD.days,
        "calls": usage.calls,
        "latency_ms_p95": [before, after],
        "cost_usd": [_written(cost) for cost in costs],
    }
    if costs[0] is not None and costs[1] is not None:
        change["saved_usd"] = _written(costs[0] - costs[1])
    return change


def _written(cost: Decimal | None) -> str | None:
    return format(cost, "f") if cost is not None else None
