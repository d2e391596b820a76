"""What tokens cost. Pure, in exact decimals of USD."""

from dataclasses import dataclass
from decimal import Decimal


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
    ) -> Decimal | None:
        """Give what a call costs, None if a price that it needs is not known.

        Args:
            input_tokens: All of them, cached and cache-writing ones included.
            output_tokens: All of them.
            cached_tokens: Those of the input that the cache gave.
            cache_write_tokens: Those of the input that went into the cache.
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
            total += tokens * rate.at(input_tokens)
        return total
