"""What a recommendation is expected to bring: seven logged days at other prices and latency."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from authz.models import Project
from registry.catalog.rates import Rate, RateCard, own_rates
from registry.models import ModelVersion, Recommendation
from registry.monitoring.optimization.recommendations import optimize
from registry.monitoring.optimization.usage import cost_at, usage_of
from tests.api_client import ApiClient
from tests.factories.integrations import IntegrationFactory
from tests.registry.conftest import Register
from tests.registry.monitoring.conftest import Call

OPENAI = "https://api.openai.com/v1"
PRICED = {"input_usd_per_mtok": "2", "output_usd_per_mtok": "4"}


@pytest.fixture
def version(register: Register) -> ModelVersion:
    return register("a", prices=PRICED)


@pytest.fixture
def elsewhere(register: Register, project: Project) -> ModelVersion:
    """Another model that is called at OpenAI already."""
    integration = IntegrationFactory(project=project, name="openai", base_url=OPENAI)
    return register("b", provider="openai", provider_model="gpt-4o-mini", integration=integration)


def expected(api: ApiClient, version: ModelVersion, **parameters: Any) -> Any:
    given = {"provider": "openai", "provider_model": "gpt-4o-mini", "integration": "openai"}
    body = {
        "name": "switch", "action": "switch_provider", "condition": "name = 'a'",
        "parameters": given | parameters,
    }  # fmt: skip
    api.ok("POST", "registry/rules", body)
    assert len(optimize(version)) == 1
    return Recommendation.objects.get().expected_change


def test_another_provider_is_known_by_its_list_prices_and_what_it_answered(
    version: ModelVersion, elsewhere: ModelVersion, call: Call, api: ApiClient
) -> None:
    for _ in range(100):
        call(version, latency_ms=200, cached_tokens=500)
        call(elsewhere, latency_ms=100)
    change = expected(api, version)
    # gpt-4o-mini: 0.15 and 0.6 USD per million tokens, 0.075 for cached input.
    assert change["cost_usd"] == ["0.24", "0.01725"]
    assert change["saved_usd"] == "0.22275"
    assert change["latency_ms_p95"] == pytest.approx([200, 100], rel=0.02)
    assert (change["days"], change["calls"]) == (7, 100)


def test_prices_of_the_rule_count_before_list_prices(
    version: ModelVersion, elsewhere: ModelVersion, call: Call, api: ApiClient
) -> None:
    for _ in range(100):
        call(version)
        call(elsewhere)
    change = expected(api, version, prices={"input_usd_per_mtok": 1, "output_usd_per_mtok": "3"})
    assert change["cost_usd"] == ["0.24", "0.13"]


def test_a_provider_that_was_hardly_called_is_not_known(
    version: ModelVersion, elsewhere: ModelVersion, call: Call, api: ApiClient
) -> None:
    for index in range(100):
        call(version)
        call(elsewhere, created_at=timezone.now() - timedelta(days=index % 10))
    assert expected(api, version) is None
    for _ in range(100):
        call(elsewhere)
    optimize(version)
    assert Recommendation.objects.get().expected_change["calls"] == 100


@pytest.mark.parametrize(
    "parameters",
    [{"integration": "none"}, {"integration": ""}, {"provider_model": "gpt-4o"}, {"provider": "x"}],
)
def test_what_was_never_called_is_not_known(
    version: ModelVersion,
    elsewhere: ModelVersion,
    call: Call,
    api: ApiClient,
    parameters: dict[str, Any],
) -> None:
    for _ in range(100):
        call(version)
        call(elsewhere)
    assert expected(api, version, **parameters) is None


def test_calls_of_another_project_say_nothing(
    version: ModelVersion, register: Register, other_project: Project, call: Call, api: ApiClient
) -> None:
    theirs = IntegrationFactory(project=other_project, name="openai", base_url=OPENAI)
    other = register(
        "b", provider="openai", provider_model="gpt-4o-mini", integration=theirs,
        project=other_project,
    )  # fmt: skip
    for _ in range(100):
        call(version)
        call(other)
    assert expected(api, version) is None


def test_tiers_are_those_of_each_call_and_our_own_answers_cost_nothing(
    version: ModelVersion, call: Call
) -> None:
    card = RateCard(
        input=Rate(Decimal("0.001"), ((1000, Decimal("0.002")),)), output=Rate(Decimal(0))
    )
    for tokens in (1000, 1000, 1001):
        call(version, input_tokens=tokens)
    call(version, from_cache=True)
    call(version, status=500, error_code="server_error")
    usage = usage_of(version, timezone.now(), bounds=card.bounds)
    assert usage.calls == 5
    assert cost_at(card, usage) == Decimal("4.002")
    assert cost_at(own_rates(PRICED), usage) == Decimal("0.007202")
    assert cost_at(own_rates({"input_usd_per_mtok": "1"}), usage) is None
    assert cost_at(None, usage) is None
