"""Attempts that come late, twice, or in between: each is recorded, only the present one decides."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from authz.models import Project
from integrations.models import DeliveryAttempt, WebhookDelivery
from integrations.webhooks import recording
from integrations.webhooks.attempt import attempt
from integrations.webhooks.endpoints import remove_endpoint, update_endpoint
from integrations.webhooks.replays import replay_delivery
from integrations.webhooks.rotation import rotate_secret
from integrations.webhooks.services import publish
from integrations.webhooks.standing import disable_endpoint
from tests.factories.authz import ACTOR
from tests.integrations.http.scripted_server import Peer, Script
from tests.integrations.webhooks.conftest import Register, Serve
from tests.integrations.webhooks.delivering import BROKEN, FAR, OK, attempt_due, only

State = WebhookDelivery.State


def meanwhile(do: Callable[[], Any], answer: bytes) -> Script:
    """Make the script that does something before it answers its first request."""
    done: list[int] = []

    def script(peer: Peer) -> None:
        while peer.request():
            if not done:
                done.append(1)
                do()
                connection.close()
            peer.send(answer)

    return script


def test_a_run_that_is_over_sends_nothing(
    serve: Serve, register: Register, project: Project
) -> None:
    server = serve(OK)
    register(server)
    publish("a.b", {}, project=project)
    delivery = only()
    assert attempt(delivery.pk, delivery.run + 1) is None
    assert attempt(delivery.pk, delivery.run) is not None
    assert attempt(delivery.pk, delivery.run) is None
    assert len(server.requests) == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("answer", "state"), [(OK, State.SUCCEEDED), (BROKEN, State.PENDING)])
def test_a_replay_while_an_attempt_is_under_way(
    answer: bytes, state: str, serve: Serve, register: Register, project: Project
) -> None:
    """The late attempt is recorded; if it delivered, so it is; if not, the replay goes on."""
    register(serve(meanwhile(lambda: replay_delivery(actor=ACTOR, delivery=only()), answer)))
    publish("a.b", {}, project=project)
    attempt_due()
    delivery = only()
    assert (delivery.state, delivery.attempt_count, delivery.step) == (state, 1, 0)
    attempt_due()
    assert only().attempt_count == (1 if state == State.SUCCEEDED else 2)


@pytest.mark.django_db(transaction=True)
def test_the_endpoint_is_disabled_while_an_attempt_is_under_way(
    serve: Serve, register: Register, project: Project
) -> None:
    endpoint = register(
        serve(meanwhile(lambda: disable_endpoint(actor=ACTOR, endpoint=endpoint), BROKEN))
    )
    publish("a.b", {}, project=project)
    attempt_due()
    delivery = only()
    assert (delivery.state, delivery.attempt_count) == (State.HELD, 1)
    assert attempt_due(within=FAR) == []


@pytest.mark.django_db(transaction=True)
def test_the_endpoint_is_removed_while_an_attempt_is_under_way(
    serve: Serve, register: Register, project: Project
) -> None:
    endpoint = register(
        serve(meanwhile(lambda: remove_endpoint(actor=ACTOR, endpoint=endpoint), BROKEN))
    )
    publish("a.b", {}, project=project)
    attempt_due()
    assert not WebhookDelivery.objects.exists()
    assert not DeliveryAttempt.objects.exists()


def test_attempt_and_state_share_a_transaction(
    serve: Serve, register: Register, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What breaks between the two takes both back; the delivery is sent again."""
    server = serve(OK)
    register(server)
    publish("a.b", {}, project=project)
    with monkeypatch.context() as patch:
        patch.setattr(recording, "_move_on", _break)
        patch.setattr(recording, "record_delivered", lambda **_: False)
        with pytest.raises(RuntimeError):
            attempt_due()
    assert not DeliveryAttempt.objects.exists()
    delivery = only()
    assert (delivery.state, delivery.attempt_count) == (State.PENDING, 0)
    attempt_due()
    assert (only().state, only().attempt_count, len(server.requests)) == (State.SUCCEEDED, 1, 2)


def _break(*args: Any, **kwargs: Any) -> None:
    raise RuntimeError


def test_a_changed_url_and_secret_count_from_the_next_attempt(
    serve: Serve, register: Register, project: Project
) -> None:
    first, second = serve(BROKEN), serve(OK)
    endpoint = register(first)
    publish("a.b", {}, project=project)
    attempt_due()
    update_endpoint(actor=ACTOR, endpoint=endpoint, changes={"url": second.url("/new")})
    changed = rotate_secret(actor=ACTOR, endpoint=endpoint, overlap_s=0)
    attempt_due(within=FAR)
    assert only().state == State.SUCCEEDED
    assert (len(first.requests), len(second.requests)) == (1, 1)
    from standardwebhooks import Webhook

    head, _, body = second.requests[0].partition(b"\r\n\r\n")
    rows = (row.partition(": ") for row in head.decode().split("\r\n")[1:])
    stored: Any = changed.secret
    Webhook(stored.reveal()).verify(body, {name.lower(): value for name, _, value in rows})
    destinations = list(DeliveryAttempt.objects.values_list("destination", flat=True))
    assert destinations == [first.url("/hooks"), second.url("/new")]
