"""Delivering with many threads: everything due, claimed once, whatever else hangs or breaks."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import OperationalError
from django.utils import timezone

from authz.models import Project
from integrations.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint
from integrations.webhooks import dispatcher as module
from integrations.webhooks.attempt import attempt
from integrations.webhooks.claims import Ready, claim, give_back, ready_endpoints
from integrations.webhooks.dispatcher import Dispatcher
from integrations.webhooks.services import publish
from integrations.webhooks.standing import disable_endpoint, enable_endpoint
from tests.factories.authz import ACTOR
from tests.integrations.http.slow_servers import silent
from tests.integrations.webhooks.conftest import Register, Serve
from tests.integrations.webhooks.delivering import BROKEN, OK

pytestmark = pytest.mark.django_db(transaction=True)

State = WebhookDelivery.State


@contextmanager
def dispatching(threads: int = 4) -> Iterator[Dispatcher]:
    made = Dispatcher(threads=threads)
    thread = threading.Thread(target=made.run)
    thread.start()
    try:
        yield made
    finally:
        made.stop()
        thread.join(60)
        assert not thread.is_alive()


def until(true: Callable[[], bool], within_s: float = 60) -> None:
    ends = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < ends, "it has not come true"
        time.sleep(0.05)


def succeeded(count: int) -> Callable[[], bool]:
    return lambda: WebhookDelivery.objects.filter(state=State.SUCCEEDED).count() == count


def test_the_command_delivers_all_that_is_due(
    serve: Serve, register: Register, project: Project
) -> None:
    server = serve(OK)
    endpoint = register(server, event_types=["*", "audit.webhookendpoint.enable"])
    disable_endpoint(actor=ACTOR, endpoint=endpoint)
    for n in range(50):
        publish("a.b", {"n": n}, project=project)
    enable_endpoint(actor=ACTOR, endpoint=endpoint)
    publish("a.b", {}, project=project)
    call_command("deliver_webhooks", "--once", "--threads", "3")
    assert len(server.requests) == 52
    assert succeeded(52)()
    assert not DeliveryAttempt.objects.exclude(number=1).exists(), "each was sent once"


@pytest.mark.parametrize("threads", ["0", "257"])
def test_odd_numbers_of_threads(threads: str) -> None:
    with pytest.raises(CommandError):
        call_command("deliver_webhooks", "--once", "--threads", threads)


def test_what_is_published_while_it_runs_is_delivered(
    serve: Serve, register: Register, project: Project
) -> None:
    register(serve(OK))
    with dispatching():
        publish("a.b", {}, project=project)
        until(succeeded(1))


def test_what_was_held_goes_out_when_the_endpoint_is_enabled(
    serve: Serve, register: Register, project: Project
) -> None:
    endpoint = register(serve(OK))
    disable_endpoint(actor=ACTOR, endpoint=endpoint)
    publish("a.b", {}, project=project)
    with dispatching():
        enable_endpoint(actor=ACTOR, endpoint=endpoint)
        until(succeeded(1))


def test_those_that_hang_do_not_hold_up_the_others(
    serve: Serve, register: Register, project: Project
) -> None:
    """All that failed before and hang now take half of the threads."""
    for _ in range(4):
        register(serve(silent), timeout_s=8, event_types=["slow"])
    WebhookEndpoint.objects.update(consecutive_failures=1)
    register(serve(OK), event_types=["fast"])
    for n in range(20):
        publish("slow", {"n": n}, project=project)
        publish("fast", {"n": n}, project=project)
    with dispatching():
        until(succeeded(20))
    slow = WebhookDelivery.objects.filter(message__event_type="slow")
    assert set(slow.values_list("state", flat=True)) == {State.PENDING}


def test_order_holds_with_many_threads(serve: Serve, register: Register, project: Project) -> None:
    server = serve(OK)
    register(server, is_ordered=True)
    for n in range(12):
        publish("a.b", {"n": n}, project=project)
    with dispatching():
        until(succeeded(12))
    numbers = [int(body.rpartition(b'"n":')[2].partition(b"}")[0]) for body in server.requests]
    assert numbers == list(range(12))


def ready(**fields: Any) -> Ready:
    (one,) = ready_endpoints()
    return one


def test_a_claim_is_nobody_elses_until_its_time_is_over(
    register: Register, project: Project
) -> None:
    register("https://a.example", timeout_s=10)
    publish("a.b", {}, project=project)
    before = timezone.now()
    (mine,) = claim(ready(), limit=5, busy_s=1)
    with time_machine.travel(before + timedelta(seconds=15), tick=False):
        assert ready_endpoints() == []
    with time_machine.travel(timezone.now() + timedelta(seconds=17)):
        (theirs,) = claim(ready(), limit=5, busy_s=1)
        assert theirs == (mine[0], mine[1] + 1)
        assert attempt(*mine) is None, "the first claim is over"


def test_what_is_given_back_is_due_at_once(register: Register, project: Project) -> None:
    register("https://a.example")
    for _ in range(3):
        publish("a.b", {}, project=project)
    claims = claim(ready(), limit=2, busy_s=1)
    assert len(claims) == 2
    assert len(claim(ready(), limit=5, busy_s=1)) == 1
    give_back(claims)
    assert {pk for pk, _ in claim(ready(), limit=5, busy_s=1)} == {pk for pk, _ in claims}


def test_a_slow_receiver_keeps_nothing_it_has_not_begun(
    serve: Serve, register: Register, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LANE_S", 0.0)
    server = serve(OK)
    register(server)
    for n in range(5):
        publish("a.b", {"n": n}, project=project)
    call_command("deliver_webhooks", "--once", "--threads", "1")
    assert len(server.requests) == 5
    assert succeeded(5)()


def test_trouble_with_the_database_is_survived(
    serve: Serve, register: Register, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AFTER_TROUBLE_S", 0.01)
    left = [OperationalError("gone"), RuntimeError("a bug")]

    def breaks_at_first(*args: Any, **kwargs: Any) -> Any:
        if left:
            raise left.pop()
        return claim(*args, **kwargs)

    monkeypatch.setattr(module, "claim", breaks_at_first)
    register(serve(OK))
    publish("a.b", {}, project=project)
    with dispatching(threads=1):
        until(succeeded(1))
    assert left == []


def test_a_failure_is_tried_again_when_its_moment_comes(
    serve: Serve, register: Register, project: Project
) -> None:
    register(serve(BROKEN))
    publish("a.b", {}, project=project)
    call_command("deliver_webhooks", "--once", "--threads", "2")
    assert DeliveryAttempt.objects.count() == 1
    WebhookDelivery.objects.update(next_attempt_at=timezone.now())
    call_command("deliver_webhooks", "--once", "--threads", "2")
    assert DeliveryAttempt.objects.count() == 2
