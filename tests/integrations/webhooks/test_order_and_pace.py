"""Endpoints that are told in order, and endpoints with a rate."""

import itertools
import json
from datetime import timedelta

import pytest
from django.utils import timezone

from authz.models import Project
from integrations.models import WebhookDelivery
from integrations.webhooks import pace
from integrations.webhooks.attempt import attempt
from integrations.webhooks.claims import Ready, claim
from integrations.webhooks.endpoints import update_endpoint
from integrations.webhooks.services import publish
from tests.factories.authz import ACTOR
from tests.integrations.http.scripted_server import Peer
from tests.integrations.webhooks.conftest import Register, Serve
from tests.integrations.webhooks.delivering import BROKEN, FAR, OK, attempt_due, reload, wait_s

State = WebhookDelivery.State


def numbers(server: object) -> list[int]:
    bodies = (request.partition(b"\r\n\r\n")[2] for request in server.requests)  # type: ignore[attr-defined]
    return [json.loads(body)["data"]["n"] for body in bodies]


def test_nothing_overtakes_what_is_tried_again(
    serve: Serve, register: Register, project: Project
) -> None:
    turn = iter(range(100))

    def script(peer: Peer) -> None:
        while peer.request():
            peer.send(BROKEN if next(turn) < 2 else OK)

    server = serve(script)
    register(server, is_ordered=True)
    for n in range(3):
        publish("a.b", {"n": n}, project=project)
    attempt_due()
    assert numbers(server) == [0]
    attempt_due()
    assert numbers(server) == [0], "the rest waits for the first"
    for _ in range(6):
        attempt_due(within=FAR)
    assert numbers(server) == [0, 0, 0, 1, 2]
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {State.SUCCEEDED}


def test_only_the_first_in_line_is_claimed_and_attempted(
    serve: Serve, register: Register, project: Project
) -> None:
    endpoint = register(serve(OK), is_ordered=True)
    for n in range(3):
        publish("a.b", {"n": n}, project=project)
    first, second, third = WebhookDelivery.objects.order_by("sequence")
    assert (first.sequence, second.sequence, third.sequence) == (1, 2, 3)
    assert attempt(third.pk, third.run) is None, "not its turn"
    ready = Ready(endpoint.pk, is_ordered=True, is_suspect=False, timeout_s=10)
    assert claim(ready, limit=5, busy_s=1) == [(first.pk, 1)]
    assert claim(ready, limit=5, busy_s=1) == [], "nobody overtakes one that is under way"
    assert attempt(first.pk, 1) is not None
    assert claim(ready, limit=5, busy_s=1) == [(second.pk, 1)]


@pytest.mark.parametrize("state", [State.EXHAUSTED, State.FAILED, State.SUCCEEDED])
def test_what_has_ended_holds_nobody_up(
    state: str, serve: Serve, register: Register, project: Project
) -> None:
    server = serve(OK)
    register(server, is_ordered=True)
    for n in range(2):
        publish("a.b", {"n": n}, project=project)
    first = WebhookDelivery.objects.order_by("sequence")[0]
    WebhookDelivery.objects.filter(pk=first.pk).update(state=state)
    attempt_due()
    assert numbers(server) == [1]


def test_order_that_is_asked_for_later_begins_with_what_waits(
    serve: Serve, register: Register, project: Project
) -> None:
    server = serve(OK)
    endpoint = register(server)
    publish("a.b", {"n": 0}, project=project)
    update_endpoint(actor=ACTOR, endpoint=endpoint, changes={"is_ordered": True})
    publish("a.b", {"n": 1}, project=project)
    late = WebhookDelivery.objects.get(sequence=1)
    assert attempt(late.pk, late.run) is None
    for _ in range(3):
        attempt_due()
    assert numbers(server) == [0, 1]


def test_each_delivery_gets_a_moment_of_its_own(
    serve: Serve, register: Register, project: Project
) -> None:
    server = serve(OK)
    endpoint = register(server, deliveries_per_minute=1)
    for n in range(5):
        publish("a.b", {"n": n}, project=project)
    now = timezone.now()
    attempt_due()
    assert len(server.requests) == 1
    waiting = WebhookDelivery.objects.filter(state=State.PENDING).order_by("next_attempt_at")
    waits = [wait_s(row, now) for row in waiting]
    assert len(waits) == 4
    gaps = [after - before for before, after in itertools.pairwise(waits)]
    assert all(gap == pytest.approx(60, abs=0.001) for gap in gaps)
    assert waits[-1] <= 240 + (timezone.now() - now).total_seconds()
    slot = reload(endpoint).slot_us
    attempt_due(within=timedelta(hours=1))
    assert len(server.requests) == 5
    assert reload(endpoint).slot_us == slot, "a moment is taken once"


def test_a_retry_takes_a_moment_like_any_other(
    serve: Serve, register: Register, project: Project
) -> None:
    endpoint = register(serve(BROKEN), deliveries_per_minute=6)
    publish("a.b", {"n": 0}, project=project)
    attempt_due()
    slot = reload(endpoint).slot_us
    attempt_due(within=timedelta(minutes=1))
    assert reload(endpoint).slot_us > slot


def test_an_idle_endpoint_saves_nothing_up(
    serve: Serve, register: Register, project: Project
) -> None:
    endpoint = register(serve(OK), deliveries_per_minute=60)
    for n in range(2):
        publish("a.b", {"n": n}, project=project)
    rows = list(WebhookDelivery.objects.order_by("pk"))
    later = timezone.now().timestamp() + 1000
    assert pace.takes_slot(rows[0], endpoint, clock=lambda: later)
    assert not pace.takes_slot(rows[1], endpoint, clock=lambda: later)


@pytest.mark.parametrize("rate", [None, 600])
def test_another_rate_counts_for_what_waits(
    serve: Serve, register: Register, project: Project, rate: int | None
) -> None:
    server = serve(OK)
    endpoint = register(server, deliveries_per_minute=1)
    for n in range(6):
        publish("a.b", {"n": n}, project=project)
    attempt_due()
    update_endpoint(actor=ACTOR, endpoint=endpoint, changes={"deliveries_per_minute": rate})
    now = timezone.now()
    waiting = WebhookDelivery.objects.filter(state=State.PENDING).order_by("next_attempt_at")
    assert [row.has_slot for row in waiting] == [False] * 4 + [True], "the next keeps its moment"
    attempt_due()
    assert len(server.requests) == (1 if rate else 5)
    assert all(wait_s(row, now) < 100 for row in waiting.all())
    attempt_due(within=FAR)
    assert sorted(numbers(server)) == list(range(6))
