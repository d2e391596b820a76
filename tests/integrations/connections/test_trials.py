"""Trying an integration out: a test of the connection, and calls that are judged and not made."""

from typing import Any

from authz.models import AuditEvent
from authz.policies.services import attach_policy, create_policy
from integrations.models import CallRecord
from tests.api_client import ApiClient
from tests.factories.authz import ACTOR
from tests.integrations.connections.conftest import SECRET, Register, Serve
from tests.integrations.connections.test_outside_world import BUSY, OK, answers
from tests.integrations.http.scripted_server import ScriptedServer

TEST, VALIDATE = "integration/external/crm/test", "integration/external/crm/validate"


def test_a_connection_that_works(api: ApiClient, serve: Serve, register: Register) -> None:
    server = serve(answers(OK))
    register(server, test_endpoint="/health?deep=1")
    trial = api.ok("POST", TEST)
    assert trial.pop("latency_ms") > 0
    assert trial == {"ok": True, "status": 200, "error": None, "error_code": None}
    assert server.requests[0].startswith(b"GET /base/health?deep=1 HTTP/1.1")
    assert SECRET.encode() in server.requests[0]
    assert CallRecord.objects.count() == 1


def test_one_that_answers_with_an_error_is_asked_once(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    server = serve(answers(BUSY))
    register(server)
    trial = api.ok("POST", TEST)
    assert (trial["ok"], trial["status"], trial["error_code"]) == (False, 503, "http_503")
    assert len(server.requests) == 1


def test_one_that_is_not_reached(api: ApiClient, register: Register) -> None:
    with ScriptedServer(lambda peer: None) as server:
        pass
    register(server)
    trial = api.ok("POST", TEST)
    assert (trial["ok"], trial["status"], trial["error_code"]) == (False, None, "connect_failed")
    assert SECRET not in str(trial)


def test_it_takes_nothing(api: ApiClient, serve: Serve, register: Register) -> None:
    register(serve(answers(OK)))
    api.refused(400, "POST", TEST, {"endpoint": "/"})
    api.refused(400, "POST", "integration/external", {
        "name": "odd", "base_url": "https://a.example", "test_endpoint": "//b.example",
    })  # fmt: skip


def test_a_call_is_judged_and_not_made(
    api: ApiClient, serve: Serve, register: Register, membership: Any
) -> None:
    server = serve(answers(OK))
    register(server)
    call: dict[str, Any] = {"method": "POST", "endpoint": "/x", "data": {}}
    assert api.ok("POST", VALIDATE, call) == {
        "valid": True, "error": None, "reasons": [], "policies": [],
    }  # fmt: skip
    policy = create_policy(
        actor=ACTOR, project=membership.project, name="p", rules={"required_fields": ["email"]}
    )
    attach_policy(actor=ACTOR, policy=policy, kind="integration", target="crm")
    verdict = api.ok("POST", VALIDATE, call)
    assert (verdict["valid"], verdict["policies"]) == (False, ["p:1"])
    assert verdict["error"] == "/data/email: This field is required."
    assert verdict["reasons"][0]["pointer"] == "/data/email"
    assert api.ok("POST", VALIDATE, call | {"data": {"email": "a"}})["valid"]
    api.refused(400, "POST", VALIDATE, call | {"endpoint": "//x"})
    assert server.accepted == 0
    assert AuditEvent.objects.filter(action="integration.validate").count() == 3
    assert AuditEvent.objects.filter(action="policy.decide").count() == 2
