"""The breaker that all processes share: when it opens, who may ask again, what closes it."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authz.models import AuditEvent
from integrations.connections import breaker
from integrations.connections.breaker import POLICY, Admission
from integrations.http.breaker import State
from integrations.models import BreakerState, Integration
from tests.api_client import ApiClient
from tests.factories.integrations import IntegrationFactory
from tests.integrations.connections.conftest import Register, Serve
from tests.integrations.connections.test_outside_world import BUSY, answers, status

NOW = "2026-11-23T06:00:00Z"


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def integration(db: None) -> Integration:
    return IntegrationFactory()


def fail(integration: Integration, times: int = 1) -> None:
    for _ in range(times):
        breaker.ended(integration.pk, breaker.admit(integration.pk), failed=True)


def state(integration: Integration) -> State:
    return breaker.standing_of(BreakerState.objects.filter(pk=integration.pk).first()).state


def test_a_system_that_is_well_costs_one_read(integration: Integration) -> None:
    with CaptureQueriesContext(connection) as captured:
        admission = breaker.admit(integration.pk)
        breaker.ended(integration.pk, admission, failed=False)
    assert len(captured) == 1
    assert admission == Admission()


def test_it_opens_at_the_rate_and_not_before_enough_calls(
    integration: Integration, clock: time_machine.Traveller
) -> None:
    fail(integration, POLICY.min_calls - 1)
    assert state(integration) is State.CLOSED
    fail(integration)
    assert state(integration) is State.OPEN
    assert breaker.admit(integration.pk).refused_for_s == POLICY.open_s


def test_successes_count_once_there_was_a_failure(integration: Integration) -> None:
    fail(integration)
    for _ in range(10):
        breaker.ended(integration.pk, breaker.admit(integration.pk), failed=False)
    fail(integration, 4)
    assert state(integration) is State.CLOSED, "5 failures of 15 calls"


def test_failures_of_an_old_window_count_no_more(
    integration: Integration, clock: time_machine.Traveller
) -> None:
    fail(integration, POLICY.min_calls - 1)
    clock.shift(timedelta(seconds=POLICY.window_s + 1))
    fail(integration)
    row = BreakerState.objects.get()
    assert (row.calls, row.failures) == (1, 1)


def test_one_probe_at_a_time_and_it_decides(
    integration: Integration, clock: time_machine.Traveller
) -> None:
    fail(integration, POLICY.min_calls)
    clock.shift(timedelta(seconds=POLICY.open_s))
    assert state(integration) is State.HALF_OPEN
    first, second = breaker.admit(integration.pk), breaker.admit(integration.pk)
    assert first.probe
    assert (second.probe, second.refused_for_s) == ("", 1.0)
    breaker.ended(integration.pk, first, failed=True)
    assert breaker.admit(integration.pk).refused_for_s == POLICY.open_s
    clock.shift(timedelta(seconds=POLICY.open_s))
    breaker.ended(integration.pk, breaker.admit(integration.pk), failed=False)
    assert state(integration) is State.CLOSED
    assert breaker.admit(integration.pk) == Admission()


def test_a_probe_that_tells_nothing_or_dies_makes_way(
    integration: Integration, clock: time_machine.Traveller
) -> None:
    fail(integration, POLICY.min_calls)
    clock.shift(timedelta(seconds=POLICY.open_s))
    breaker.abandoned(integration.pk, breaker.admit(integration.pk))
    dead = breaker.admit(integration.pk)
    assert dead.probe
    clock.shift(timedelta(seconds=POLICY.probe_timeout_s + 1))
    alive = breaker.admit(integration.pk)
    assert alive.probe not in {"", dead.probe}
    breaker.ended(integration.pk, dead, failed=False)
    assert state(integration) is State.HALF_OPEN, "the dead one's word counts no more"


def test_opening_and_closing_is_on_record_once(
    integration: Integration, clock: time_machine.Traveller
) -> None:
    late = [breaker.admit(integration.pk) for _ in range(9)]
    for admission in late:
        breaker.ended(integration.pk, admission, failed=True)
    clock.shift(timedelta(seconds=POLICY.open_s))
    breaker.ended(integration.pk, breaker.admit(integration.pk), failed=False)
    events = AuditEvent.objects.filter(object_id=str(integration.pk)).order_by("id")
    assert [event.action for event in events] == [
        "integration.breaker_opened", "integration.breaker_closed",
    ]  # fmt: skip
    assert events[0].changes == {"calls": 5, "failures": 5}


def test_an_integration_that_is_gone_fails_nobody(integration: Integration) -> None:
    admission = breaker.admit(integration.pk)
    integration.delete()
    breaker.ended(integration.pk, admission, failed=True)
    assert not BreakerState.objects.exists()


def test_calls_of_a_failing_system_are_refused_without_being_made(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    server = serve(answers(BUSY))
    register(server, max_retries=10)
    path, call = "integration/external/crm/request", {"method": "GET", "endpoint": "/"}
    answer = api.ok("POST", path, call)
    assert (answer["status"], answer["attempts"]) == (503, 5), "it opened between two attempts"
    details = api.refused(503, "POST", path, call)["error_details"]
    assert details["code"] == "circuit_open"
    assert 0 < details["retry_after_s"] <= POLICY.open_s
    assert len(server.requests) == 5
    found = api.ok("GET", "integration/status/crm")
    assert (found["breaker"]["state"], found["health"]) == ("open", "failing")
    assert found["request_count"] == 5, "what was refused was not sent"
    api.ok("PATCH", "integration/external/crm", {"description": "mended"})
    assert api.ok("GET", "integration/status/crm")["breaker"]["state"] == "closed"


def test_the_callers_own_mistakes_do_not_open_it(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    register(serve(answers(status("404 Not Found"))))
    path, call = "integration/external/crm/request", {"method": "GET", "endpoint": "/"}
    for _ in range(8):
        assert api.ok("POST", path, call)["status"] == 404
    assert not BreakerState.objects.exists()
