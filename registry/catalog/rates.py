"""What tokens cost. Pure, in exact decimals of USD."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """A price for one token.

    Args:
        usd: Of a call with few input tokens.
        tiers: (input tokens, USD): calls with more input tokens than this pay this for all of
            theirs; ascending.
    """

    usd: Decimal
    tiers: tuple[tuple[int, Decimal], ...] = ()

    def at(self, input_tokens: int) -> Decimal:
        """Give the price for one token of a call with so much input."""
        price = self.usd
        for above, usd in self.tiers:
            if input_tokens > above:
                price = usd
        return price


@dataclass(frozen=True, slots=True)
class RateCard:
    """The prices of one model; what is None is not known.

    Args:
        input: Of input tokens.
        output: Of output tokens, thoughts included.
        cached_input: Of input that the provider's cache gave; as other input if not known.
        cache_write: Of input that went into its cache; likewise.
    """

    input: Rate | None = None
    output: Rate | None = None
    cached_input: Rate | None = None
    cache_write: Rate | None = None

    def cost_usd(
        self,
        *,
        input_tokens: int,
        output_tokens: int,
        cached_tokens: int = 0,
        cache_write_tokens: int = 0,
        tier_of: int | None = None,
    ) -> Decimal | None:
        """Give what a call costs, None if a price that it needs is not known.

        Args:
            input_tokens: All of them, cached and cache-writing ones included.
            output_tokens: All of them.
            cached_tokens: Those of the input that the cache gave.
            cache_write_tokens: Those of the input that went into the cache.
        tier_of: Input tokens that choose the tier, for the sum of several calls of one tier;
            those of the call if omitted.
        """
        plain = input_tokens - cached_tokens - cache_write_tokens
        total = Decimal(0)
        for tokens, rate in (
            (plain, self.input),
            (cached_tokens, self.cached_input or self.input),
            (cache_write_tokens, self.cache_write or self.input),
            (output_tokens, self.output),
        ):
            if not tokens:
                continue
            if rate is None:
                return None
            total += tokens * rate.at(input_tokens if tier_of is None else tier_of)
        return total

    @property
    def bounds(self) -> set[int]:
        """Input tokens above which a price changes."""
        rates = (self.input, self.output, self.cached_input, self.cache_write)
        return {above for rate in rates if rate is not None for above, _ in rate.tiers}


def own_rates(prices: Mapping[str, str]) -> RateCard | None:
    """Give a version's own prices, in USD per million tokens; None if it has none."""
    if not prices:
        return None
    return RateCard(
        input=_rate(prices.get("input_usd_per_mtok")),
        output=_rate(prices.get("output_usd_per_mtok")),
        cached_input=_rate(prices.get("cached_input_usd_per_mtok")),
        cache_write=_rate(prices.get("cache_write_usd_per_mtok")),
    )


def _rate(usd_per_mtok: str | None) -> Rate | None:
    return Rate(Decimal(usd_per_mtok) / MILLION) if usd_per_mtok is not None else None
