"""What calls cost: exact, and unknown where a price or the usage is."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from integrations.connections.connection import Connection
from integrations.http.policy import Deadlines, EgressPolicy
from integrations.http.retry import RetryPolicy
from registry.catalog.list_prices import list_rates
from registry.catalog.rates import Rate, RateCard
from registry.inference.calls import Usage
from registry.inference.costs import cost_of
from tests.registry.inference.targets import target

RATES = RateCard(input=Rate(Decimal("0.00000015")), output=Rate(Decimal("0.0000006")))
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
ANTHROPIC = "https://api.anthropic.com"
OPENAI = "https://api.openai.com/v1"


def cost(usage: Usage | None, **changes: Any) -> Decimal | None:
    return cost_of(target(rates=replace(RATES, **changes)), usage)


def test_cost_is_exact_and_a_tiny_one_is_not_nothing() -> None:
    assert cost(Usage(1000, 500)) == Decimal("0.00045")
    assert cost(Usage(1, 0)) == Decimal("0.00000015")


@pytest.mark.parametrize("missing", ["input", "output"])
def test_an_unknown_price_makes_the_cost_unknown(missing: str) -> None:
    assert cost(Usage(10, 10), **{missing: None}) is None


def test_a_price_for_what_was_not_used_need_not_be_known() -> None:
    assert cost(Usage(10), output=None) == Decimal("0.0000015")
    assert cost(Usage(0, 0), input=None, output=None) == 0


def test_an_unknown_usage_makes_the_cost_unknown() -> None:
    assert cost(None) is None


def test_free_is_zero_and_not_unknown() -> None:
    assert cost(Usage(10, 10), input=Rate(Decimal(0)), output=Rate(Decimal(0))) == 0


def test_what_the_cache_gave_or_took_has_its_own_price() -> None:
    usage = Usage(100, 0, cached_tokens=60, cache_write_tokens=30)
    cached, written = Rate(Decimal("0.00000001")), Rate(Decimal("0.000001"))
    assert cost(usage, cached_input=cached, cache_write=written) == Decimal("0.0000321")
    assert cost(usage) == Decimal("0.000015")


def test_long_calls_pay_their_tier_for_all_tokens() -> None:
    tiered = Rate(Decimal(1), ((200, Decimal(2)), (1000, Decimal(3))))
    assert [tiered.at(tokens) for tokens in (0, 200, 201, 1000, 1001)] == [1, 1, 2, 2, 3]


def reached_at(base_url: str, model: str, **changes: Any) -> Any:
    connection = Connection(
        integration_id=target().version_id,
        name="there",
        base_url=base_url,
        api_key=None,
        headers={},
        deadlines=Deadlines(),
        retries=RetryPolicy(),
        egress=EgressPolicy(),
    )
    return target(connection=connection, provider_model=model, **{"rates": None, **changes})


def test_a_vendors_list_price_stands_in() -> None:
    known = reached_at(OPENAI, "gpt-4o-mini")
    assert cost_of(known, Usage(1_000_000, 0), NOW) == Decimal("0.15")
    assert cost_of(known, Usage(0, 1_000_000), NOW) == Decimal("0.60")
    assert cost_of(known, Usage(1_000_000, 0, cached_tokens=1_000_000), NOW) == Decimal("0.075")


def test_the_versions_own_price_goes_before() -> None:
    own = reached_at(OPENAI, "gpt-4o-mini", rates=RateCard(input=Rate(Decimal("0.5"))))
    assert cost_of(own, Usage(2), NOW) == 1
    assert cost_of(own, Usage(2, 1), NOW) is None, "half a price is not mixed with the vendor's"


@pytest.mark.parametrize(
    ("base_url", "model"),
    [
        ("http://127.0.0.1:8000/v1", "gpt-4o-mini"),
        ("https://llm.example.com/v1", "gpt-4o-mini"),
        (OPENAI, "a-model-of-our-own"),
    ],
)
def test_what_nobody_lists_is_unknown(base_url: str, model: str) -> None:
    assert cost_of(reached_at(base_url, model), Usage(10, 10), NOW) is None


def test_models_in_this_process_have_no_list_price() -> None:
    assert cost_of(target(rates=None), Usage(10, 10)) is None


@settings(deadline=None)  # the package loads with the first
@given(
    plain=st.integers(0, 400_000),
    cached=st.integers(0, 400_000),
    written=st.integers(0, 400_000),
    output=st.integers(0, 100_000),
    where=st.sampled_from(
        [(ANTHROPIC, "claude-sonnet-4-5"), (ANTHROPIC, "claude-haiku-4-5"), (OPENAI, "gpt-4o")]
    ),
)
def test_list_prices_are_counted_as_their_package_counts(
    plain: int, cached: int, written: int, output: int, where: tuple[str, str]
) -> None:
    import genai_prices

    base_url, model = where
    if base_url == OPENAI:
        written = 0
    rates = list_rates(base_url, model, NOW)
    assert rates is not None
    ours = rates.cost_usd(
        input_tokens=plain + cached + written,
        output_tokens=output,
        cached_tokens=cached,
        cache_write_tokens=written,
    )
    theirs = genai_prices.calc_price(
        genai_prices.Usage(
            input_tokens=plain + cached + written,
            cache_read_tokens=cached,
            cache_write_tokens=written,
            output_tokens=output,
        ),
        model,
        provider_api_url=base_url,
        genai_request_timestamp=NOW,
    )
    assert ours == theirs.total_price


def test_prices_change_with_time(monkeypatch: pytest.MonkeyPatch) -> None:
    from registry.catalog import list_prices

    class Dated:
        def get_prices(self, at: datetime) -> Any:
            class Prices:
                input_mtok = Decimal(1) if at < NOW else Decimal(2)

            return Prices()

    monkeypatch.setattr(list_prices, "_listed", lambda base_url, model: Dated())
    dated = reached_at(OPENAI, "dated")
    assert cost_of(dated, Usage(1_000_000), datetime(2026, 10, 1, tzinfo=UTC)) == 1
    assert cost_of(dated, Usage(1_000_000), NOW) == 2
