"""How much an integration is called: places and rate, over all processes."""

from authz.limits.holds import hold, settle, taken
from integrations.connections.breaker import POLICY
from integrations.models import BreakerState, CallRecord
from tests.api_client import ApiClient
from tests.integrations.connections.conftest import Register, Serve
from tests.integrations.connections.test_outside_world import BUSY, OK, answers

PATH = "integration/external/crm/request"
GET = {"method": "GET", "endpoint": "/"}


def test_more_than_the_rate_is_refused_with_a_wait(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    server = serve(answers(OK))
    register(server, requests_per_minute=2)
    api.ok("POST", PATH, GET)
    api.ok("POST", PATH, GET)
    details = api.refused(429, "POST", PATH, GET)["error_details"]
    assert details["code"] == "rate_limited"
    assert 20 < details["retry_after_s"] <= 30
    assert len(server.requests) == 2
    row = CallRecord.objects.latest("id")
    assert (row.attempt, row.error_code) == (0, "rate_limited")


def test_each_attempt_counts_and_a_retry_beyond_the_rate_is_left_out(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    register(serve(answers(BUSY)), requests_per_minute=2, max_retries=5)
    answer = api.ok("POST", PATH, GET)
    assert (answer["status"], answer["attempts"]) == (503, 2)


def test_what_the_breaker_keeps_back_takes_nothing_from_the_rate(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    server = serve(answers(BUSY))
    register(server, requests_per_minute=POLICY.min_calls + 1, max_retries=0)
    for _ in range(POLICY.min_calls):
        api.ok("POST", PATH, GET)
    for _ in range(3):
        assert api.refused(503, "POST", PATH, GET)["error_details"]["code"] == "circuit_open"
    BreakerState.objects.update(opened_us=1)
    api.ok("POST", PATH, GET)
    assert len(server.requests) == POLICY.min_calls + 1


def test_a_probe_beyond_the_rate_makes_way(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    integration = register(serve(answers(OK)), requests_per_minute=1)
    api.ok("POST", PATH, GET)
    BreakerState.objects.create(integration=integration, opened_us=1)
    api.refused(429, "POST", PATH, GET)
    assert BreakerState.objects.get().probe == ""


def test_more_than_the_places_is_refused(api: ApiClient, serve: Serve, register: Register) -> None:
    server = serve(answers(OK))
    integration = register(server, parallel_calls=2)
    held = [
        hold(key=f"integration:{integration.pk}", amount=1, limit=2, expires_s=60) for _ in range(2)
    ]
    details = api.refused(429, "POST", PATH, GET)["error_details"]
    assert details["code"] == "too_many_parallel_calls"
    assert server.accepted == 0
    assert held[0] is not None
    settle(held=held[0], amount=0)
    api.ok("POST", PATH, GET)
    assert taken(key=f"integration:{integration.pk}") == (0, 1)


def test_a_place_is_free_again_after_a_failure(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    integration = register(serve(lambda peer: None), parallel_calls=1, max_retries=0)
    for _ in range(3):
        envelope = api.refused(502, "POST", PATH, GET)
        assert envelope["error_details"]["code"] == "connection_reset"
    assert taken(key=f"integration:{integration.pk}") == (0, 0)


def test_no_limit_is_no_statement(api: ApiClient, serve: Serve, register: Register) -> None:
    integration = register(serve(answers(OK)))
    api.ok("POST", PATH, GET)
    assert taken(key=f"integration:{integration.pk}") == (0, 0)
