"""Taking events: what is signed is kept once, and nothing else is kept."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.test import override_settings

from authz.models import AuditEvent, Project
from authz.models.kernel import ConfigurationRevision
from integrations.models import ReceivedEvent
from tests.api_client import ApiClient
from tests.integrations.webhooks.inbound import senders
from tests.integrations.webhooks.inbound.conftest import Register, Send

RECEIVED = "integration/webhook/received"


def test_an_event_is_kept_as_it_came(api: ApiClient, register: Register, send: Send) -> None:
    raw = b'{"type": "order.paid",  "amount": 1.50, "name": "\xc3\xa9"}'
    answer = send(register(), raw=raw, event_id="msg_7", headers={"User-Agent": "shop/1"})
    assert answer.status_code == 202
    told = answer.json()["data"]
    assert (told["event_id"], told["duplicate"]) == ("msg_7", False)
    event = api.ok("GET", f"{RECEIVED}/{told['id']}")
    assert event["body"].encode() == raw
    assert (event["source"], event["event_type"]) == ("orders", "order.paid")
    assert (event["address"], event["user_agent"]) == ("127.0.0.1", "shop/1")
    assert event["policies"] == []
    assert event["request_id"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    ("scheme", "sign", "payload", "settings", "event_id", "event_type"),
    [
        ("github", senders.github, {"ref": "main"}, {}, "72d3162e", "push"),
        ("stripe", senders.stripe, {"id": "evt_1", "type": "a.b"}, {}, "evt_1", "a.b"),
        ("hmac", senders.slack, {"event_id": "Ev1"}, senders.SLACK, "Ev1", ""),
    ],
)
def test_each_scheme_names_its_events(
    scheme: str, sign: Any, payload: Any, settings: Any, event_id: str, event_type: str,
    register: Register, send: Send,
) -> None:  # fmt: skip
    source = register(scheme=scheme, secret=senders.PLAIN, settings=settings)
    assert send(source, payload, sign=sign).status_code == 202
    event = ReceivedEvent.objects.get()
    assert (event.event_id, event.event_type) == (event_id, event_type)
    assert send(source, payload, sign=sign, secret="of somebody else").status_code == 401


def test_the_same_again_is_acknowledged_and_kept_once(register: Register, send: Send) -> None:
    source = register()
    first, again = send(source, {"a": 1}), send(source, {"a": 1})
    assert (first.status_code, again.status_code) == (202, 200)
    assert again.json()["data"] == first.json()["data"] | {"duplicate": True}
    assert send(register(name="another"), {"a": 1}).status_code == 202
    assert ReceivedEvent.objects.count() == 2


def test_an_event_without_an_id_is_known_by_what_was_signed(register: Register, send: Send) -> None:
    settings = {name: value for name, value in senders.SLACK.items() if "pointer" not in name}
    source = register(scheme="hmac", secret=senders.PLAIN, settings=settings)
    now = datetime.now(UTC).timestamp()
    answers = [
        send(source, {"a": a}, sign=senders.slack, at=now + later).status_code
        for a, later in ((1, 0), (1, 0), (2, 0), (1, 1))
    ]
    assert answers == [202, 200, 202, 202]
    assert all(event.event_id.startswith("sha256:") for event in ReceivedEvent.objects.all())


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"webhook-signature": "v1,AAAA"}, "signature_invalid"),
        ({"webhook-signature": ""}, "signature_missing"),
        ({"webhook-timestamp": "0"}, "signature_invalid"),
        ({"webhook-id": "caf\xe9"}, "signature_invalid"),
    ],
)
def test_what_proves_nothing_is_refused_and_leaves_no_trace(
    headers: dict[str, str], code: str, register: Register, send: Send
) -> None:
    source = register()
    events = AuditEvent.objects.count()
    answer = send(source, {"secret": "value"}, headers=headers)
    assert answer.status_code == 401
    assert answer.json()["error_details"]["code"] == code
    assert not ReceivedEvent.objects.exists()
    assert AuditEvent.objects.count() == events


def test_five_minutes_either_way(register: Register, send: Send) -> None:
    source = register()
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    for index, (away_s, status) in enumerate(((-301, 401), (-300, 202), (300, 202), (301, 401))):
        with time_machine.travel(now, tick=False):
            at = (now + timedelta(seconds=away_s)).timestamp()
            assert send(source, {}, at=at, event_id=f"m{index}").status_code == status
    assert {event.sent_at for event in ReceivedEvent.objects.all()} == {
        now - timedelta(seconds=300),
        now + timedelta(seconds=300),
    }


@pytest.mark.parametrize(
    "raw",
    [
        b"{", b"\xff", b'{"a": 1, "a": 2}', b'{"a": NaN}', b'{"a": "\\u0000"}',
        b'"\\ud800"', b"[" * 100_000, b"9" * 5000, b"1e999", b"\xef\xbb\xbf{}", b"a=1&payload={}",
    ],
)  # fmt: skip
def test_a_body_that_is_no_json_is_refused(raw: bytes, register: Register, send: Send) -> None:
    answer = send(register(), raw=raw)
    assert answer.status_code == 400
    assert answer.json()["error_details"]["code"] == "malformed_json"
    assert not ReceivedEvent.objects.exists()


@pytest.mark.parametrize("raw", [b"null", b"5", b'"text"', b"[]", b"[{}]", b"{}"])
def test_any_json_is_taken(raw: bytes, register: Register, send: Send) -> None:
    assert send(register(), raw=raw).status_code == 202
    assert ReceivedEvent.objects.get().body == raw.decode()


def test_bodies_have_a_bound(register: Register, send: Send) -> None:
    source = register(body_limit_bytes=20)
    assert send(source, raw=b'"' + b"x" * 18 + b'"').status_code == 202
    assert send(source, raw=b'"' + b"x" * 19 + b'"').status_code == 413
    other = register(name="larger", body_limit_bytes=64 * 1024 * 1024)
    with override_settings(REQUEST_BODY_LIMIT_BYTES=10):
        assert send(other, raw=b'"' + b"x" * 9 + b'"').status_code == 413


def test_a_body_announced_as_too_long_is_not_read(register: Register) -> None:
    class Unreadable:
        def read(self, *args: Any) -> bytes:
            raise AssertionError("it was read")

        readline = read

    source = register(body_limit_bytes=20)
    for length in ("21", "9" * 400):
        answer = ApiClient().generic(
            "POST", source["address"], b"x", content_type="application/json",
            CONTENT_LENGTH=length, **{"wsgi.input": Unreadable()},
        )  # fmt: skip
        assert answer.status_code == 413


@pytest.mark.parametrize("content_type", ["", "text/plain", "application/x-www-form-urlencoded"])
def test_other_media_types_are_refused(content_type: str, register: Register, send: Send) -> None:
    assert send(register(), {}, content_type=content_type).status_code == 415


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_events_are_posted(method: str, register: Register) -> None:
    answer = ApiClient().call(method, register()["address"])
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


def test_unknown_parameters_are_refused(register: Register, send: Send) -> None:
    source = register()
    assert send(source | {"address": source["address"] + "?a=1"}, {}).status_code == 400


def test_an_address_that_leads_nowhere_answers_like_one_that_does_no_more(
    api: ApiClient, register: Register, send: Send
) -> None:
    source = register()
    bodies = set()

    def refused(address: str) -> None:
        answer = send({"address": f"/api/v1/integration/webhook/inbound/{address}"}, {})
        assert answer.status_code == 404
        bodies.add(json.dumps([answer.json()["error"], answer.json()["error_details"]]))

    for odd in (uuid4(), "orders", "0", "é", "a%0ab", "x" * 3000, "{}"):
        refused(str(odd))
    api.ok("PATCH", "integration/webhook/sources/orders", {"is_active": False})
    refused(source["id"])
    api.ok("PATCH", "integration/webhook/sources/orders", {"is_active": True})
    assert send(source, {}).status_code == 202
    Project.objects.update(is_active=False)
    ConfigurationRevision.objects.update(number=10**9)
    refused(source["id"])
    assert len(bodies) == 1


def test_addresses_that_lead_nowhere_fill_no_memory(register: Register, send: Send) -> None:
    from authz.configuration import snapshot

    register()
    for _ in range(3):
        send({"address": f"/api/v1/integration/webhook/inbound/{uuid4()}"}, {})
    assert not [key for key in snapshot._current._entries if key[0] == "inbound_source"]


def test_a_known_source_costs_one_query_and_the_insert(
    register: Register, send: Send, django_assert_max_num_queries: Any
) -> None:
    source = register()
    send(source, {}, event_id="m0")
    # The revision, the policies once, begin, insert, commit.
    with django_assert_max_num_queries(5):
        send(source, {}, event_id="m1")


def test_events_can_be_filtered(api: ApiClient, register: Register, send: Send) -> None:
    source, other = register(), register(name="others")
    send(source, {"type": "a"}, event_id="m1")
    send(other, {"type": "b"}, event_id="m2")
    for query, found in (
        ("source=orders", ["m1"]), ("event_type=b", ["m2"]), ("event_id=m1", ["m1"]),
        ("since=2999-01-01T00:00:00Z", []), ("until=2999-01-01T00:00:00Z", ["m2", "m1"]),
        ("page_size=1", ["m2"]),
    ):  # fmt: skip
        rows = api.ok("GET", f"{RECEIVED}?{query}")["results"]
        assert [row["event_id"] for row in rows] == found
    for odd in ("body=x", "since=yesterday", "source=%00", "event_id=a&event_id=b"):
        assert api.call("GET", f"{RECEIVED}?{odd}").status_code == 400
