"""What a call costs: the version's own prices, else the vendor's list prices of the moment."""

from datetime import datetime
from decimal import Decimal

from django.utils import timezone

from registry.catalog.list_prices import list_rates
from registry.catalog.rates import RateCard
from registry.catalog.resolution import Target
from registry.inference.calls import Usage

COST_STEP = Decimal("1e-9")
"""A billionth of a dollar: one token of the cheapest models costs more."""


def cost_of(target: Target, usage: Usage | None, at: datetime | None = None) -> Decimal | None:
    """Give the cost of a usage in USD; None where usage or a price is unknown, never 0 for that.

    Args:
        target: Who answered.
        usage: What is paid for.
        at: When; now if omitted.
    """
    if usage is None:
        return None
    if not (usage.input_tokens or usage.output_tokens):
        return Decimal(0)
    rates = rates_of(target, at)
    if rates is None:
        return None
    cost = rates.cost_usd(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=usage.cached_tokens,
        cache_write_tokens=usage.cache_write_tokens,
    )
    return None if cost is None else cost.quantize(COST_STEP)


def rates_of(target: Target, at: datetime | None = None) -> RateCard | None:
    """Give the prices that count for a version, None if none is known."""
    if target.rates is not None:
        return target.rates
    if target.connection is None:
        return None
    return list_rates(target.connection.base_url, target.provider_model, at or timezone.now())
