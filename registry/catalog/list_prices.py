"""The vendors' list prices, from the package genai-prices, as they are at the moment of a call.

The vendor is known by the integration's address, so that a server of one's own that speaks
OpenAI's protocol costs nothing known and never OpenAI's price. The package's data lies on disk; it
is loaded when the first version without prices of its own answers, and nothing is fetched.
"""

from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from registry.catalog.rates import MILLION, Rate, RateCard

MAX_MODELS = 10_000


def list_rates(base_url: str, provider_model: str, at: datetime) -> RateCard | None:
    """Give a vendor's prices for a model, None if they are not known.

    Args:
        base_url: Where the model is reached.
        provider_model: Its name there.
        at: The moment of the call: prices change, some with the time of the day.
    """
    listed = _listed(base_url, provider_model)
    if listed is None:
        return None
    prices = listed.get_prices(at)
    card = _cards.get(id(prices))
    if card is None or card[0] is not prices:
        card = (prices, _card(prices))
        _cards[id(prices)] = card
    return card[1]


# By the package's own objects, which live as long as the process.
_cards: dict[int, tuple[Any, RateCard]] = {}


@lru_cache(maxsize=MAX_MODELS)
def _listed(base_url: str, provider_model: str) -> Any:
    from genai_prices.data_snapshot import get_snapshot

    # Behind a question mark stands how Azure is asked, not what.
    name = provider_model.partition("?")[0]
    try:
        _provider, model = get_snapshot().find_provider_model(name, None, None, base_url)
    except LookupError:
        return None
    return model


def _card(prices: Any) -> RateCard:
    return RateCard(
        input=_rate(getattr(prices, "input_mtok", None)),
        output=_rate(getattr(prices, "output_mtok", None)),
        cached_input=_rate(getattr(prices, "cache_read_mtok", None)),
        cache_write=_rate(getattr(prices, "cache_write_mtok", None)),
    )


def _rate(price: Any) -> Rate | None:
    if price is None:
        return None
    if isinstance(price, Decimal):
        return Rate(price / MILLION)
    return Rate(price.base / MILLION, tuple((t.start, t.price / MILLION) for t in price.tiers))
