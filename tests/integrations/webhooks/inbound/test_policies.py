"""Security policies on sources: asked after the signature, before anything is kept."""

from typing import Any

import pytest
import time_machine

from authz.models import AuditEvent
from integrations.models import ReceivedEvent
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for
from tests.integrations.webhooks.inbound.conftest import Register, Send

VALUE = "a-value-of-theirs"
RULES: dict[str, tuple[dict[str, Any], Any, str]] = {
    "required_fields": ({"required_fields": ["email"]}, {"other": VALUE}, "/data/email"),
    "validation_rules": (
        {"validation_rules": {"count": {"type": "integer", "max": 5}}},
        {"count": 6},
        "/data/count",
    ),
    "schema": (
        {"schema": {"type": "object", "properties": {"x": {"const": 1}}}},
        {"x": VALUE},
        "/data/x",
    ),
    "methods": ({"methods": ["PUT"]}, {}, "/method"),
    "paths": ({"paths": ["/integration/webhook/other/*"]}, {}, "/path"),
    "hours": (
        {"hours": {"windows": [{"days": ["sat"], "from": "08:00", "to": "09:00"}]}},
        {},
        "/at",
    ),
    "source_cidrs": ({"source_cidrs": ["10.0.0.0/8"]}, {}, "/source"),
}


@pytest.fixture
def admin(membership: Any) -> ApiClient:
    return ApiClient(api_key_for(MembershipFactory(project=membership.project, role_name="admin")))


def attach(admin: ApiClient, rules: dict[str, Any], name: str = "strict") -> str:
    policy = admin.ok("POST", "policies", {"name": name, "rules": rules})
    body = {"kind": "inbound_source", "target": "orders"}
    admin.ok("POST", f"policies/{policy['id']}/attachments", body)
    return str(policy["id"])


@pytest.mark.parametrize("rule", RULES)
def test_what_a_policy_forbids_is_not_kept(
    rule: str, admin: ApiClient, register: Register, send: Send
) -> None:
    rules, payload, pointer = RULES[rule]
    source = register()
    attach(admin, rules)
    with time_machine.travel("2026-11-23T12:00:00Z"):
        answer = send(source, payload)
    assert answer.status_code == 403
    told = answer.json()["error_details"]
    assert told["code"] == "policy_denied"
    assert [field["path"] for field in told["fields"]] == [pointer]
    assert not ReceivedEvent.objects.exists()
    event = AuditEvent.objects.get(action="policy.decide")
    assert (event.outcome, event.object_type, event.object_label) == (
        "denied", "inboundsource", "orders",
    )  # fmt: skip
    assert event.changes["policies"] == ["strict:1"]
    assert event.credential == f"inbound_source:{source['id']}"
    assert VALUE not in str(vars(event))


def test_what_all_policies_allow_is_kept_with_their_versions(
    admin: ApiClient, api: ApiClient, register: Register, send: Send
) -> None:
    source = register()
    policy = attach(admin, {"required_fields": ["email"]})
    attach(
        admin,
        {
            "methods": ["POST"],
            "paths": ["/integration/webhook/inbound/*"],
            "source_cidrs": ["127.0.0.0/8"],
        },
        name="near",
    )
    admin.ok("PATCH", f"policies/{policy}", {"rules": {"required_fields": ["mail"]}})
    assert send(source, {"email": VALUE}).status_code == 403
    kept = send(source, {"mail": VALUE}, event_id="msg_2").json()["data"]["id"]
    shown = api.ok("GET", f"integration/webhook/received/{kept}")
    assert shown["policies"] == ["strict:2", "near:1"]
    outcomes = AuditEvent.objects.filter(action="policy.decide").values_list("outcome", flat=True)
    assert sorted(outcomes) == ["denied", "success"]


def test_only_what_is_signed_is_judged(admin: ApiClient, register: Register, send: Send) -> None:
    source = register()
    attach(admin, {"required_fields": ["email"]})
    assert send(source, {}, headers={"webhook-signature": "v1,AAAA"}).status_code == 401
    assert not AuditEvent.objects.filter(action="policy.decide").exists()


def test_a_dry_run_tells_what_would_happen(
    admin: ApiClient, api: ApiClient, register: Register
) -> None:
    register()
    path = "integration/webhook/sources/orders/validate"
    assert api.ok("POST", path, {"data": {}}) == {
        "valid": True, "reasons": [], "policies": [], "not_judged": ["source"],
    }  # fmt: skip
    attach(admin, {"required_fields": ["email"], "source_cidrs": ["10.0.0.0/8"]})
    told = api.ok("POST", path, {"data": {}})
    assert (told["valid"], told["policies"]) == (False, ["strict:1"])
    assert [reason["pointer"] for reason in told["reasons"]] == ["/data/email"]
    assert api.ok("POST", path, {"data": {"email": ""}})["valid"]
    told = api.ok("POST", path, {"data": {"email": ""}, "address": "192.0.2.1"})
    assert [reason["pointer"] for reason in told["reasons"]] == ["/source"]
    assert told["not_judged"] == []
    for odd in ({}, {"data": {}, "x": 1}, {"data": {}, "address": "x"}, {"data": {}, "at": 5}):
        api.refused(400, "POST", path, odd)
    assert not ReceivedEvent.objects.exists()


def test_a_source_that_goes_takes_its_attachments_along(
    admin: ApiClient, api: ApiClient, register: Register
) -> None:
    register()
    policy = attach(admin, {})
    api.ok("DELETE", "integration/webhook/sources/orders")
    admin.ok("DELETE", f"policies/{policy}")


def test_policies_find_sources_of_their_own_project_only(
    admin: ApiClient, register: Register
) -> None:
    register()
    elsewhere = ApiClient(api_key_for(MembershipFactory(role_name="admin")))
    policy = elsewhere.ok("POST", "policies", {"name": "theirs", "rules": {}})
    body = {"kind": "inbound_source", "target": "orders"}
    told = elsewhere.refused(400, "POST", f"policies/{policy['id']}/attachments", body)
    assert told["error_details"]["fields"][0]["path"] == "/target"
