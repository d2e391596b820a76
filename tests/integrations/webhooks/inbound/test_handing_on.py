"""What was received is handed on: to receivers, to webhook endpoints, once more when it failed."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from authz.models import AuditEvent, Project
from integrations.models import ReceivedEvent, WebhookMessage
from integrations.webhooks.inbound import receivers
from integrations.webhooks.inbound.handing_on import CLAIM_S, hand_on, hand_on_due
from integrations.webhooks.inbound.receivers import InboundEvent, register_receiver
from intmod_site.api.errors import ValidationFailed
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for
from tests.integrations.webhooks.inbound.conftest import Register, Send

RECEIVED = "integration/webhook/received"
NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
Listen = Callable[..., list[InboundEvent]]


@pytest.fixture
def listen(monkeypatch: pytest.MonkeyPatch) -> Listen:
    """Register a receiver that keeps what it is handed, after doing what it is told."""

    def make(name: str = "ledger", do: Callable[[InboundEvent], Any] = lambda _: None) -> Any:
        handed: list[InboundEvent] = []

        def receiver(event: InboundEvent) -> None:
            do(event)
            handed.append(event)

        monkeypatch.setitem(receivers._receivers, name, receiver)
        return handed

    return make


def fail(_: InboundEvent) -> None:
    raise RuntimeError("a value of theirs")


def test_receivers_get_the_event(register: Register, send: Send, listen: Listen) -> None:
    handed, more = listen(), listen("more")
    source = register(receivers=["ledger", "more"])
    send(source, {"type": "order.paid", "n": 1.5})
    event = ReceivedEvent.objects.get()
    assert event.state == "waiting"
    assert hand_on_due() == 1
    assert hand_on_due() == 0
    (got,) = handed
    assert more == handed
    assert (got.id, got.source, got.event_id) == (event.pk, "orders", "msg_1")
    assert (got.event_type, got.payload) == ("order.paid", {"type": "order.paid", "n": 1.5})
    event.refresh_from_db()
    assert (event.state, event.handled_by, event.next_at) == ("handled", ["ledger", "more"], None)


def test_where_nobody_listens_it_is_just_kept(
    api: ApiClient, register: Register, send: Send
) -> None:
    source = register()
    told = send(source, {}).json()["data"]
    assert hand_on_due() == 0
    assert api.ok("GET", f"{RECEIVED}?state=kept")["results"][0]["id"] == told["id"]
    refused = api.refused(409, "POST", f"{RECEIVED}/{told['id']}/replay")
    assert refused["error_details"]["code"] == "nobody_listens"


def test_it_is_published_where_the_source_says_so(
    api: ApiClient, register: Register, send: Send
) -> None:
    told = send(register(publishes_as="shop.event"), {"n": 1}).json()["data"]
    call_command("deliver_webhooks", "--once")
    message = WebhookMessage.objects.get()
    assert message.event_type == "shop.event"
    shown = api.ok("GET", f"{RECEIVED}/{told['id']}")
    assert (shown["state"], shown["message_id"]) == ("handled", message.message_id)
    data = api.ok("GET", f"integration/webhook/messages/{message.message_id}")
    assert '"payload":{"n":1}' in str(message.body)
    assert '"event_id":"msg_1"' in str(message.body)
    assert data["event_type"] == "shop.event"


def test_what_fails_is_tried_again_and_only_where_it_failed(
    register: Register, send: Send, listen: Listen
) -> None:
    handed = listen()
    listen("broken", fail)
    source = register(receivers=["ledger", "broken"])
    with time_machine.travel(NOW, tick=False) as clock:
        send(source, {}, at=NOW.timestamp())
        assert hand_on_due() == 1
        event = ReceivedEvent.objects.get()
        assert (event.state, event.handled_by) == ("waiting", ["ledger"])
        assert event.error == "broken: RuntimeError"
        assert 4 <= (event.next_at - NOW).total_seconds() <= 6
        assert hand_on_due() == 0
        mended = listen("broken")
        clock.shift(10)
        assert hand_on_due() == 1
    event.refresh_from_db()
    assert (event.state, event.attempts, event.error) == ("handled", 2, "")
    assert (len(handed), len(mended)) == (1, 1)


def test_what_fails_ten_times_is_given_up_and_can_be_replayed(
    api: ApiClient, register: Register, send: Send, listen: Listen
) -> None:
    listen("broken", fail)
    source = register(receivers=["broken"])
    with time_machine.travel(NOW, tick=False) as clock:
        told = send(source, {}, at=NOW.timestamp()).json()["data"]
        for _ in range(10):
            assert hand_on_due() == 1
            clock.shift(timedelta(days=2))
        assert hand_on_due() == 0
        event = ReceivedEvent.objects.get()
        assert (event.state, event.attempts, event.next_at) == ("failed", 10, None)
        handed = listen("broken")
        replayed = api.ok("POST", f"{RECEIVED}/{told['id']}/replay")
        assert (replayed["state"], replayed["attempts"], replayed["error"]) == ("waiting", 0, "")
        api.refused(409, "POST", f"{RECEIVED}/{told['id']}/replay")
        assert hand_on_due() == 1
    assert len(handed) == 1
    replay = AuditEvent.objects.get(action="receivedevent.replay")
    assert (replay.object_id, "body" in replay.changes) == (told["id"], False)


def test_a_receiver_may_refuse_for_good(register: Register, send: Send, listen: Listen) -> None:
    def refuse(_: InboundEvent) -> None:
        raise ValidationFailed.of("amount", "Not a number.")

    listen(do=refuse)
    send(register(receivers=["ledger"]), {})
    assert hand_on_due() == 1
    event = ReceivedEvent.objects.get()
    assert (event.state, event.error) == ("failed", "ledger: amount: Not a number.")


def test_what_a_receiver_wrote_before_it_failed_is_undone(
    register: Register, send: Send, listen: Listen
) -> None:
    def write_and_fail(event: InboundEvent) -> None:
        Project.objects.filter(pk=event.project_id).update(name="written")
        fail(event)

    listen(do=write_and_fail)
    send(register(receivers=["ledger"]), {})
    hand_on_due()
    assert not Project.objects.filter(name="written").exists()
    assert ReceivedEvent.objects.get().handled_by == []


def test_a_replay_hands_on_to_all_and_publishes_anew(
    api: ApiClient, register: Register, send: Send, listen: Listen
) -> None:
    handed = listen()
    source = register(receivers=["ledger"], publishes_as="shop.event")
    told = send(source, {}).json()["data"]
    hand_on_due()
    api.ok("POST", f"{RECEIVED}/{told['id']}/replay")
    hand_on_due()
    assert len(handed) == 2
    assert handed[0] == handed[1]
    assert WebhookMessage.objects.count() == 2


def test_two_who_hand_on_the_same_do_it_once(
    register: Register, send: Send, listen: Listen
) -> None:
    pk: list[Any] = []
    states: list[Any] = []
    handed = listen(do=lambda _: states.append(hand_on(pk[0])))
    send(register(receivers=["ledger"]), {})
    pk.append(ReceivedEvent.objects.get().pk)
    assert hand_on(pk[0]) == "handled"
    assert (states, len(handed)) == ([None], 1)


def test_who_died_is_followed_and_who_was_slow_writes_nothing(
    register: Register, send: Send, listen: Listen
) -> None:
    with time_machine.travel(NOW, tick=False) as clock:

        def sleep(_: InboundEvent) -> None:
            if not handed:
                clock.shift(CLAIM_S + 1)
                handed.append(_)
                states.append(hand_on(_.id))

        states: list[Any] = []
        handed = listen(do=sleep)
        source = register(receivers=["ledger"], publishes_as="shop.event")
        send(source, {}, at=NOW.timestamp())
        event = ReceivedEvent.objects.get()
        ReceivedEvent.objects.update(
            attempts=1, next_at=timezone.now() + timedelta(seconds=CLAIM_S)
        )
        assert hand_on(event.pk) is None
        clock.shift(CLAIM_S)
        assert hand_on(event.pk) is None
    assert states == ["handled"]
    event.refresh_from_db()
    assert (event.state, event.attempts) == ("handled", 3)
    assert WebhookMessage.objects.count() == 1


def test_what_kills_every_worker_is_given_up(
    register: Register, send: Send, listen: Listen
) -> None:
    handed = listen()
    send(register(receivers=["ledger"]), {})
    ReceivedEvent.objects.update(attempts=10)
    assert hand_on_due() == 1
    assert ReceivedEvent.objects.get().state == "failed"
    assert handed == []


def test_a_receiver_that_this_process_does_not_know_is_waited_for(
    register: Register, send: Send, listen: Listen, monkeypatch: pytest.MonkeyPatch
) -> None:
    listen()
    send(register(receivers=["ledger"]), {})
    monkeypatch.delitem(receivers._receivers, "ledger")
    hand_on_due()
    event = ReceivedEvent.objects.get()
    assert (event.state, event.error) == ("waiting", "ledger: There is no such receiver here.")


def test_what_is_too_long_to_publish_fails_for_good(register: Register, send: Send) -> None:
    send(register(publishes_as="shop.event"), {"x": "y" * 300_000})
    hand_on_due()
    event = ReceivedEvent.objects.get()
    assert event.state == "failed"
    assert "262144" in event.error


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"receivers": ["nobody"]}, "/receivers/0"),
        ({"receivers": ["ledger", "ledger"]}, "/receivers/1"),
        ({"receivers": "ledger"}, "/receivers"),
        ({"receivers": [5]}, "/receivers/0"),
        ({"receivers": None}, "/receivers"),
        ({"receivers": ["ledger"] * 21}, "/receivers"),
        ({"publishes_as": "audit.x"}, "/publishes_as"),
        ({"publishes_as": "A b"}, "/publishes_as"),
        ({"publishes_as": 5}, "/publishes_as"),
    ],
)
def test_odd_listeners_are_refused(
    body: dict[str, Any], path: str, api: ApiClient, listen: Listen
) -> None:
    listen()
    told = api.refused(400, "POST", "integration/webhook/sources", {"name": "orders", **body})
    assert told["error_details"]["fields"][0]["path"] == path


@pytest.mark.parametrize(("role", "status"), [("developer", 403), ("operator", 409)])
def test_operators_replay(
    role: str, status: int, membership: Any, register: Register, send: Send
) -> None:
    told = send(register(), {}).json()["data"]
    client = ApiClient(api_key_for(MembershipFactory(project=membership.project, role_name=role)))
    assert client.call("POST", f"{RECEIVED}/{told['id']}/replay").status_code == status


def test_a_name_is_registered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(receivers, "_receivers", {})
    register_receiver("ledger", fail)
    register_receiver("ledger", fail)
    with pytest.raises(ValueError, match="already"):
        register_receiver("ledger", print)
    with pytest.raises(ValueError, match="no name"):
        register_receiver("Ledger!", print)
