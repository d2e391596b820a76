"""Rates, parallel calls and budgets on the call path."""

from decimal import Decimal
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authz.limits.call_limits import create_call_limit
from authz.limits.holds import taken
from authz.models import APIKey, HoldAccount, Project
from registry.models import InferenceRecord
from tests.api_client import ApiClient
from tests.factories.authz import ACTOR, MembershipFactory, api_key_for
from tests.registry.conftest import Register
from tests.registry.inference.conftest import ServeModel
from tests.registry.inference.events import ask_for_stream, leave, read
from tests.registry.inference.raw_upstream import (
    COMPLETION,
    HELLO,
    ROLE,
    completing,
    delta,
    hang_up,
    refused,
    stream_then,
    streaming,
)

BODY = {"model": "remote", "prompt": "Hi", "max_tokens": 20}
# With the fixture's prices: 5 tokens in at 1 USD, 20 out at 2 USD per million.
ESTIMATE = Decimal("0.000045")
COST = Decimal("0.000017")


@pytest.fixture
def limit(project: Project) -> Any:
    def set_limit(api_key: APIKey | None = None, **fields: Any) -> None:
        create_call_limit(actor=ACTOR, project=project, api_key=api_key, **fields)

    return set_limit


def spent(project: Project) -> tuple[int, int]:
    (key,) = HoldAccount.objects.filter(key__startswith="budget:").values_list("key", flat=True)
    return taken(key=key)


def ask(api: ApiClient, status: int = 200, **body: Any) -> Any:
    response = api.call("POST", "ai/generate", {**BODY, **body})
    assert response.status_code == status, response.content
    return response


def test_requests_are_limited_and_told(
    serve_model: ServeModel, developer: ApiClient, limit: Any
) -> None:
    server = serve_model(completing())
    limit(requests_per_minute=2)
    with time_machine.travel("2026-11-20T12:00:00Z", tick=False):
        first = ask(developer)
        assert first.headers["RateLimit-Limit"] == "2"
        assert first.headers["RateLimit-Remaining"] == "1"
        assert first.headers["RateLimit-Policy"] == "2;w=60"
        assert int(first.headers["RateLimit-Reset"]) == 30
        ask(developer)
        refusal = ask(developer, 429)
    assert refusal.headers["Retry-After"] == "30"
    assert refusal.headers["RateLimit-Remaining"] == "0"
    assert b"2 requests a minute" in refusal.content
    assert len(server.requests) == 2
    assert InferenceRecord.objects.latest("id").error_code == "rate_limited"
    with time_machine.travel("2026-11-20T12:00:31Z", tick=False):
        ask(developer)


def test_a_key_is_limited_by_itself_and_with_its_project(
    serve_model: ServeModel, developer: ApiClient, project: Project, limit: Any
) -> None:
    serve_model(completing())
    other = ApiClient(api_key_for(MembershipFactory(project=project, role_name="developer")))
    (mine, _) = APIKey.objects.order_by("created_at")
    limit(mine, requests_per_minute=1)
    limit(requests_per_minute=2)
    with time_machine.travel("2026-11-20T12:00:00Z", tick=False):
        ask(developer)
        assert b"this API key" in ask(developer, 429).content
        ask(other)
        assert b"this project" in ask(other, 429).content


def test_of_several_limits_the_one_that_leaves_least_is_told(
    serve_model: ServeModel, developer: ApiClient, limit: Any
) -> None:
    serve_model(completing())
    (mine,) = APIKey.objects.all()
    limit(mine, requests_per_minute=3)
    limit(requests_per_minute=600)
    with time_machine.travel("2026-11-20T12:00:00Z", tick=False):
        told = [ask(developer).headers["RateLimit-Remaining"] for _ in range(3)]
        refusal = ask(developer, 429)
    assert told == ["2", "1", "0"]
    assert refusal.headers["RateLimit-Policy"] == "3;w=60"


def test_a_refused_call_takes_nothing_of_other_limits(
    serve_model: ServeModel, developer: ApiClient, project: Project, limit: Any
) -> None:
    serve_model(completing())
    limit(APIKey.objects.get(), requests_per_minute=10, parallel_calls=1, budget_usd=Decimal(1))
    limit(budget_usd=Decimal(0))
    with time_machine.travel("2026-11-20T12:00:00Z", tick=False):
        ask(developer, 429)
        ask(developer, 429)
    assert {sum(taken(key=key)) for key in HoldAccount.objects.values_list("key", flat=True)} == {0}


def test_tokens_are_estimated_and_corrected(
    serve_model: ServeModel, developer: ApiClient, limit: Any
) -> None:
    serve_model(completing())
    limit(tokens_per_minute=60)
    with time_machine.travel("2026-11-20T12:00:00Z", tick=False):
        # Each call is estimated at 25 tokens and takes 13.
        for _ in range(3):
            ask(developer)
        assert b"60 tokens a minute" in ask(developer, 429).content


def test_parallel_calls_are_counted_while_they_run(
    serve_model: ServeModel, developer: ApiClient, limit: Any
) -> None:
    serve_model(streaming(*HELLO))
    limit(parallel_calls=1)
    running = ask_for_stream(developer)
    refusal = ask(developer, 429, stream=True)
    assert b"1 calls at once" in refusal.content
    read(running)
    read(ask_for_stream(developer))
    leave(ask_for_stream(developer))
    read(ask_for_stream(developer))


def test_a_budget_holds_the_estimate_and_settles_the_cost(
    serve_model: ServeModel, developer: ApiClient, project: Project, limit: Any
) -> None:
    server = serve_model(completing())
    limit(budget_usd=ESTIMATE + COST)
    for _ in range(2):
        ask(developer)
    assert spent(project) == (34_000, 0)
    refusal = ask(developer, 429)
    assert b"budget" in refusal.content
    assert refusal.headers["Retry-After"]
    assert len(server.requests) == 2
    record = InferenceRecord.objects.latest("id")
    assert (record.error_code, record.cost_usd) == ("budget_exceeded", 0)


@pytest.mark.parametrize(
    ("script", "at_least", "at_most"),
    [
        (completing(), 17_000, 17_000),
        (completing({**COMPLETION, "usage": None}), 45_000, 45_000),
        (refused("500 Oops", "no"), 0, 0),
        (refused("400 Bad", "no"), 0, 0),
    ],
    ids=["whole", "uncounted", "failed", "refused"],
)
def test_each_ending_settles(
    serve_model: ServeModel,
    developer: ApiClient,
    project: Project,
    limit: Any,
    script: Any,
    at_least: int,
    at_most: int,
) -> None:
    serve_model(script)
    limit(budget_usd=Decimal(1))
    developer.call("POST", "ai/generate", BODY)
    settled, held = spent(project)
    assert held == 0
    assert at_least <= settled <= at_most


@pytest.mark.parametrize("end", ["read", "broken", "left"])
def test_streams_settle_however_they_end(
    serve_model: ServeModel, developer: ApiClient, project: Project, limit: Any, end: str
) -> None:
    pieces = [delta("x" * 40) for _ in range(3)]
    serve_model(stream_then(ROLE, *pieces, then=hang_up) if end == "broken" else streaming(*HELLO))
    limit(budget_usd=Decimal(1))
    response = ask_for_stream(developer, max_tokens=20)
    assert spent(project) == (0, 45_000)
    if end == "left":
        leave(response)
    else:
        read(response)
    settled, held = spent(project)
    assert held == 0
    assert settled > 0


def test_budgets_begin_anew(serve_model: ServeModel, developer: ApiClient, limit: Any) -> None:
    serve_model(completing())
    limit(budget_usd=ESTIMATE, budget_window="day")
    with time_machine.travel("2026-11-20T23:00:00Z", tick=False):
        ask(developer)
        assert ask(developer, 429).headers["Retry-After"] == "3600"
    with time_machine.travel("2026-11-21T00:00:01Z", tick=False):
        ask(developer)


def test_an_unknown_price_does_not_pass_a_budget_by(
    serve_model: ServeModel, developer: ApiClient, limit: Any
) -> None:
    server = serve_model(completing(), prices={})
    ask(developer)
    limit(budget_usd=Decimal(1))
    refusal = ask(developer, 409)
    assert b"price_unknown" in refusal.content
    assert len(server.requests) == 1


def test_each_limit_costs_one_statement_before_the_upstream_and_none_without(
    serve_model: ServeModel, developer: ApiClient, limit: Any
) -> None:
    serve_model(completing())
    ask(developer)

    def statements() -> list[str]:
        ask(developer)
        with CaptureQueriesContext(connection) as queries:
            ask(developer)
        return [query["sql"] for query in queries if "authz_" in query["sql"]]

    assert len(statements()) == 1
    limit(
        requests_per_minute=1000, tokens_per_minute=100_000, parallel_calls=5, budget_usd=Decimal(1)
    )
    with_limits = statements()
    # The credential; one for each limit before; tokens, parallel and budget after.
    assert len(with_limits) == 1 + 4 + 3, with_limits


def test_embeddings_are_limited_the_same(
    register: Register, developer: ApiClient, limit: Any
) -> None:
    register("vectors", provider_model="minilm-l6-v2-int8", tasks=["embed"])
    limit(requests_per_minute=1)
    with time_machine.travel("2026-11-20T12:00:00Z", tick=False):
        developer.call("POST", "ai/embed", {"model": "vectors", "input": "a"})
        developer.refused(429, "POST", "ai/embed", {"model": "vectors", "input": "a"})
