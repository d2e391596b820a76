"""Calling an external system over the API: what it is sent, what the caller gets, what is kept."""

import base64
import json
from typing import Any

import pytest

from authz.models import AuditEvent
from authz.policies.services import attach_policy, create_policy
from integrations.models import CallRecord
from tests.api_client import ApiClient
from tests.factories.authz import ACTOR, MembershipFactory, api_key_for
from tests.integrations.connections.conftest import SECRET, Register, Serve
from tests.integrations.http.scripted_server import Peer, ScriptedServer

PATH = "integration/external/crm/request"
GET = {"method": "GET", "endpoint": "/things"}
JSON = "Content-Type: application/json"
ODD_SECRET = 's/"0d&secret\\x='


def fine(peer: Peer) -> None:
    while peer.request():
        peer.answer(b'{"n": [1, 2]}', headers=f'{JSON}\r\nSet-Cookie: s=1\r\nETag: "x"')


def head_of(server: ScriptedServer, index: int = 0) -> dict[str, str]:
    lines = server.requests[index].partition(b"\r\n\r\n")[0].decode().split("\r\n")
    pairs = [line.partition(": ") for line in lines[1:]]
    return {"line": lines[0]} | {name.lower(): value for name, _, value in pairs}


def test_a_call_and_its_answer(api: ApiClient, serve: Serve, register: Register) -> None:
    server = serve(fine)
    register(server, headers={"X-Team": "search"})
    body = {
        "method": "POST", "endpoint": "things?page=2", "data": {"name": "Zo\u00eb"},
        "headers": {"X-Trace": "1", "x-team": "sales"},
    }  # fmt: skip
    answer = api.ok("POST", PATH, body)
    assert answer["duration_ms"] > 0
    del answer["duration_ms"]
    assert answer == {
        "status": 200,
        "headers": {"content-type": "application/json", "etag": '"x"'},
        "body": {"n": [1, 2]},
        "body_encoding": "json",
        "attempts": 1,
    }
    head = head_of(server)
    assert head["line"] == "POST /base/things?page=2 HTTP/1.1"
    assert head["authorization"] == f"Bearer {SECRET}"
    assert (head["x-team"], head["x-trace"]) == ("sales", "1")
    assert head["content-type"] == "application/json"
    assert json.loads(server.requests[0].partition(b"\r\n\r\n")[2]) == body["data"]


def test_the_form_without_a_name(api: ApiClient, serve: Serve, register: Register) -> None:
    server = serve(fine)
    register(server)
    answer = api.ok("POST", "integration/external/request", {"integration": "crm", **GET})
    assert answer["body"] == {"n": [1, 2]}
    api.refused(404, "POST", "integration/external/request", {"integration": "no", **GET})
    api.refused(400, "POST", "integration/external", {"name": "request", "base_url": "http://a.b"})


@pytest.mark.parametrize(
    ("raw", "content_type", "body", "encoding"),
    [
        (b"", "application/json", None, "none"),
        (b"plain", "text/plain", "plain", "text"),
        (b'{"a": NaN}', "application/json", '{"a": NaN}', "text"),
        (b'{"a": 1, "a": 2}', "application/json", '{"a": 1, "a": 2}', "text"),
        (b'"\\ud800"', "application/json", '"\\ud800"', "text"),
        (b"[" * 5000, "application/json", "[" * 5000, "text"),
        (b"9" * 5000, "application/json", "9" * 5000, "text"),
        (b"\xff\x00", "image/png", base64.b64encode(b"\xff\x00").decode(), "base64"),
        (b'{"t": 1}', "application/problem+json; charset=utf-8", {"t": 1}, "json"),
    ],
)
def test_bodies_are_given_as_what_they_are(
    api: ApiClient,
    serve: Serve,
    register: Register,
    raw: bytes,
    content_type: str,
    body: Any,
    encoding: str,
) -> None:
    register(
        serve(
            lambda peer: (peer.request(), peer.answer(raw, headers=f"Content-Type: {content_type}"))
        )
    )
    answer = api.ok("POST", PATH, GET)
    assert (answer["body"], answer["body_encoding"]) == (body, encoding)


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_answers_without_a_body(
    api: ApiClient, serve: Serve, register: Register, status: str
) -> None:
    register(serve(lambda peer: (peer.request(), peer.send(f"HTTP/1.1 {status}\r\n\r\n".encode()))))
    answer = api.ok("POST", PATH, GET)
    assert (answer["status"], answer["body"]) == (int(status[:3]), None)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"method": "TRACE"}, "/method"),
        ({"method": 5}, "/method"),
        ({"method": "get"}, "/method"),
        ({"endpoint": "//evil.example/x"}, "/endpoint"),
        ({"endpoint": "https://evil.example/x"}, "/endpoint"),
        ({"endpoint": "/../admin"}, "/endpoint"),
        ({"endpoint": "/a/%2e%2E/b"}, "/endpoint"),
        ({"endpoint": "/a%2fb"}, "/endpoint"),
        ({"endpoint": "/a%5cb"}, "/endpoint"),
        ({"endpoint": "/a b"}, "/endpoint"),
        ({"endpoint": "/a#b"}, "/endpoint"),
        ({"endpoint": "/%zz"}, "/endpoint"),
        ({"endpoint": "/%00"}, "/endpoint"),
        ({"endpoint": "/a\r\nX: y"}, "/endpoint"),
        ({"endpoint": "/" + "x" * 2000}, "/endpoint"),
        ({"endpoint": "\\evil.example"}, "/endpoint"),
        ({"endpoint": "/\u00e9"}, "/endpoint"),
        ({"endpoint": None}, "/endpoint"),
        ({"headers": {"Host": "evil"}}, "/headers"),
        ({"headers": {"Authorization": "x"}}, "/headers"),
        ({"headers": {"X-A": "a\r\nb"}}, "/headers"),
        ({"headers": []}, "/headers"),
        ({"data": {}}, "/data"),
        ({"url": "x"}, "/url"),
    ],
)
def test_odd_calls_are_refused_and_not_made(
    api: ApiClient, serve: Serve, register: Register, changes: dict[str, Any], path: str
) -> None:
    server = serve(fine)
    register(server)
    envelope = api.refused(400, "POST", PATH, GET | changes)
    assert [field["path"] for field in envelope["error_details"]["fields"]] == [path]
    assert server.accepted == 0
    assert not CallRecord.objects.exists()


def test_an_endpoint_cannot_leave_the_host(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    server = serve(fine)
    register(server)
    api.ok("POST", PATH, GET | {"endpoint": "@evil.example/x"})
    assert head_of(server)["line"] == "GET /base/@evil.example/x HTTP/1.1"


def test_who_may_call(api: ApiClient, serve: Serve, register: Register, membership: Any) -> None:
    server = serve(fine)
    register(server)
    viewer = MembershipFactory(project=membership.project, role_name="viewer")
    ApiClient(api_key_for(viewer)).refused(403, "POST", PATH, GET)
    stranger = MembershipFactory(role_name="admin")
    ApiClient(api_key_for(stranger)).refused(404, "POST", PATH, GET)
    ApiClient(None).refused(401, "POST", PATH, GET)
    assert server.accepted == 0
    developer = MembershipFactory(project=membership.project, role_name="developer")
    ApiClient(api_key_for(developer)).ok("POST", PATH, GET)


def test_what_is_not_active_is_not_called(api: ApiClient, serve: Serve, register: Register) -> None:
    server = serve(fine)
    register(server, is_active=False)
    envelope = api.refused(409, "POST", PATH, GET)
    assert envelope["error_details"]["code"] == "integration_inactive"
    api.ok("PATCH", "integration/external/crm", {"is_active": True})
    api.ok("POST", PATH, GET)


def test_a_policy_is_asked_before_anything_leaves(
    api: ApiClient, serve: Serve, register: Register, membership: Any
) -> None:
    server = serve(fine)
    register(server)
    policy = create_policy(
        actor=ACTOR,
        project=membership.project,
        name="careful",
        rules={"required_fields": ["email"], "max_response_bytes": 5},
    )
    attach_policy(actor=ACTOR, policy=policy, kind="integration", target="crm")
    envelope = api.refused(403, "POST", PATH, {"method": "POST", "endpoint": "/", "data": {}})
    assert envelope["error_details"]["code"] == "policy_denied"
    assert server.accepted == 0
    denied = AuditEvent.objects.get(action="policy.decide")
    assert (denied.outcome, denied.object_label) == ("denied", "crm")
    body = {"method": "POST", "endpoint": "/", "data": {"email": "a@b.c"}}
    envelope = api.refused(403, "POST", PATH, body)
    assert "5 bytes" in envelope["error"]
    assert server.accepted == 1
    event = AuditEvent.objects.get(action="integration.request")
    assert event.changes["policies"] == ["careful:1"]


def test_each_call_is_an_audit_event(api: ApiClient, serve: Serve, register: Register) -> None:
    answers = iter(["200 OK", "404 Not Found"])
    register(
        serve(lambda peer: [peer.answer(status=next(answers)) for _ in iter(peer.request, b"")])
    )
    api.ok("POST", PATH, GET | {"endpoint": "/a?token=abc&x=1"})
    assert api.ok("POST", PATH, GET)["status"] == 404
    good, bad = AuditEvent.objects.filter(action="integration.request").order_by("id")
    assert (good.outcome, bad.outcome) == ("success", "failed")
    assert good.changes["endpoint"] == "/a?token=\u2026&x=\u2026"
    assert bad.changes | {"duration_ms": 0} == {
        "method": "GET", "endpoint": "/things", "status": 404, "error": "http_404", "attempts": 1,
        "duration_ms": 0, "policies": [],
    }  # fmt: skip


def test_an_idempotency_key_is_sent_along_and_calls_once(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    server = serve(fine)
    register(server)
    body = {"method": "POST", "endpoint": "/", "data": {}}
    first = api.ok("POST", PATH, body, Idempotency_Key="k-1")
    assert api.ok("POST", PATH, body, Idempotency_Key="k-1") == first
    assert len(server.requests) == 1
    assert head_of(server)["idempotency-key"] == "k-1"


def test_a_secret_that_comes_back_is_masked(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    def echo(peer: Peer) -> None:
        while request := peer.request():
            peer.answer(request, headers=f"X-Request-Id: {SECRET}")

    register(serve(echo), logs_bodies=True)
    answer = api.ok("POST", PATH, GET)
    assert SECRET not in str(answer)
    assert "Authorization: [secret]" in answer["body"]
    assert SECRET not in str(list(CallRecord.objects.values()))


@pytest.mark.parametrize(
    "written",
    [
        json.dumps(ODD_SECRET),
        json.dumps(ODD_SECRET).replace("/", "\\/"),
        '"' + "".join(f"\\u{ord(letter):04x}" for letter in ODD_SECRET) + '"',
        json.dumps({ODD_SECRET: [ODD_SECRET]}),
        # No JSON in spite of its type: a text that quotes some.
        "Error: " + json.dumps(ODD_SECRET),
    ],
)
def test_a_secret_that_comes_back_as_json_is_masked(
    api: ApiClient, serve: Serve, register: Register, written: str
) -> None:
    def echo(peer: Peer) -> None:
        while peer.request():
            peer.answer(written.encode(), headers=JSON)

    register(serve(echo), logs_bodies=True, api_key=ODD_SECRET)
    answer = api.ok("POST", PATH, GET)
    assert "0d&secret" not in str(answer)
    assert "0d&secret" not in str(list(CallRecord.objects.values()))


def test_a_changed_key_counts_from_the_next_call(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    server = serve(fine)
    register(server)
    api.ok("POST", PATH, GET)
    api.ok("PATCH", "integration/external/crm", {"api_key": "another-key"})
    api.ok("POST", PATH, GET)
    assert head_of(server, 1)["authorization"] == "Bearer another-key"


def test_a_header_of_the_callers_does_not_stand_beside_the_proof(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    server = serve(fine)
    settings = {"signature_header": "X-Sig"}
    register(server, auth_scheme="hmac", auth_settings=settings)
    api.ok("POST", PATH, GET | {"headers": {"x-sig": "mine"}})
    assert server.requests[0].lower().count(b"x-sig:") == 1
    assert b"mine" not in server.requests[0]
