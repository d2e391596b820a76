"""What a call cost."""

from decimal import Decimal

import pytest

from registry.inference.calls import Usage
from registry.inference.records import Outcome
from tests.registry.inference.targets import target

PRICED = {
    "input_usd_per_token": Decimal("0.00000015"),
    "output_usd_per_token": Decimal("0.0000006"),
}


def outcome(usage: Usage, **prices: Decimal | None) -> Outcome:
    return Outcome(
        target=target(**prices), task="chat", latency_ms=1, usage=usage, finish_reason="stop"
    )


def test_cost_is_exact() -> None:
    assert outcome(Usage(1000, 500), **PRICED).cost_usd == Decimal("0.00045")


def test_a_tiny_cost_is_not_rounded_to_nothing() -> None:
    assert outcome(Usage(1, 0), **PRICED).cost_usd == Decimal("0.00000015")


@pytest.mark.parametrize("missing", sorted(PRICED))
def test_an_unknown_price_makes_the_cost_unknown(missing: str) -> None:
    assert outcome(Usage(10, 10), **PRICED | {missing: None}).cost_usd is None


def test_a_price_for_what_was_not_used_need_not_be_known() -> None:
    embedded = Outcome(
        target=target(**PRICED | {"output_usd_per_token": None}),
        task="embed",
        latency_ms=1,
        usage=Usage(10),
    )
    assert embedded.cost_usd == Decimal("0.0000015")


def test_free_is_zero_and_not_unknown() -> None:
    free = dict.fromkeys(PRICED, Decimal(0))
    assert outcome(Usage(10, 10), **free).cost_usd == 0


def test_an_unknown_usage_makes_the_cost_unknown() -> None:
    assert Outcome(target=target(**PRICED), task="chat", latency_ms=1, usage=None).cost_usd is None
