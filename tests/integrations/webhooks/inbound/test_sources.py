"""Sources in the API: registered, changed, removed, scoped to a project."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authz.models import AuditEvent
from integrations.models import InboundSource, ReceivedEvent
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for
from tests.integrations.webhooks.inbound import senders
from tests.integrations.webhooks.inbound.conftest import Register, Send

SOURCES = "integration/webhook/sources"


def test_a_source_is_registered_and_its_secret_shown_once(api: ApiClient) -> None:
    made = api.ok("POST", SOURCES, {"name": "orders", "scheme": "standard"})
    assert made["secret"].startswith("whsec_")
    assert made["address"] == f"/api/v1/integration/webhook/inbound/{made['id']}"
    assert made["secret_hint"] == "…" + made["secret"][-4:]
    assert (made["tolerance_s"], made["replaced_secrets"]) == (300, 0)
    shown = api.ok("GET", f"{SOURCES}/orders")
    assert "secret" not in shown
    (listed,) = api.ok("GET", SOURCES)["results"]
    assert listed == shown
    stored: Any = InboundSource.objects.get().secret
    assert stored.reveal() == made["secret"]
    assert made["secret"] not in str(stored.ciphertext)


def test_everything_is_audited_without_secrets(api: ApiClient, register: Register) -> None:
    register()
    api.ok("PATCH", f"{SOURCES}/orders", {"tolerance_s": 60})
    api.ok("POST", f"{SOURCES}/orders/rotate-secret", {})
    api.ok("DELETE", f"{SOURCES}/orders")
    events = AuditEvent.objects.filter(object_type="inboundsource").order_by("id")
    assert [event.action for event in events] == [
        "inboundsource.create", "inboundsource.update", "inboundsource.rotate_secret",
        "inboundsource.delete",
    ]  # fmt: skip
    assert events[1].changes == {"tolerance_s": [300, 60]} | {
        name: events[1].changes[name] for name in ("updated_at",)
    }
    assert senders.SHARED not in str([event.changes for event in events])


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"name": "A"}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": "a\x00"}, ""),
        ({"name": "a\ud800"}, ""),
        ({"scheme": "md5"}, "/scheme"),
        ({"scheme": 5}, "/scheme"),
        ({"secret": "whsec_!"}, "/secret"),
        ({"secret": ""}, "/secret"),
        ({"secret": None}, "/secret"),
        ({"secret": 7}, "/secret"),
        ({"scheme": "stripe"}, "/secret"),
        ({"settings": {"x": "y"}}, "/settings"),
        ({"settings": []}, "/settings"),
        ({"settings": {"x": 1}}, "/settings/x"),
        ({"scheme": "hmac", "settings": {"signed": "{body}{body}"}}, "/settings/signed"),
        ({"tolerance_s": 0}, "/tolerance_s"),
        ({"tolerance_s": 2**63 - 1}, "/tolerance_s"),
        ({"tolerance_s": "300"}, "/tolerance_s"),
        ({"body_limit_bytes": 0}, "/body_limit_bytes"),
        ({"is_active": "yes"}, "/is_active"),
        ({"project": "x"}, "/project"),
        ({"old_secrets": "x"}, "/old_secrets"),
    ],
)
def test_odd_fields_are_refused_by_name(body: dict[str, Any], path: str, api: ApiClient) -> None:
    told = api.refused(400, "POST", SOURCES, {"name": "orders", **body})
    if path:
        assert [field["path"] for field in told["error_details"]["fields"]] == [path]
    assert not InboundSource.objects.exists()
    assert not AuditEvent.objects.filter(object_type="inboundsource").exists()


def test_names_are_unique_in_a_project(api: ApiClient, register: Register) -> None:
    register()
    register(name="others")
    api.refused(409, "POST", SOURCES, {"name": "orders"})
    api.refused(409, "PATCH", f"{SOURCES}/others", {"name": "orders"})
    elsewhere = ApiClient(api_key_for(MembershipFactory()))
    elsewhere.ok("POST", SOURCES, {"name": "orders"})


def test_what_is_not_named_stays(api: ApiClient, register: Register) -> None:
    made = register(tolerance_s=60, description="from the shop")
    changed = api.ok("PATCH", f"{SOURCES}/orders", {"is_active": False})
    assert changed["secret_fingerprint"] == made["secret_fingerprint"]
    assert (changed["tolerance_s"], changed["description"]) == (60, "from the shop")
    for body in ({"secret": senders.SHARED}, {"id": made["id"]}, {"created_at": "2026-01-01"}):
        api.refused(400, "PATCH", f"{SOURCES}/orders", body)


def test_another_scheme_needs_a_secret_of_its_kind(api: ApiClient, register: Register) -> None:
    register(scheme="github", secret=senders.PLAIN)
    told = api.refused(400, "PATCH", f"{SOURCES}/orders", {"scheme": "standard"})
    assert told["error_details"]["fields"][0]["path"] == "/scheme"
    api.ok("PATCH", f"{SOURCES}/orders", {"scheme": "hmac"})


def test_the_source_of_another_project_is_not_there(
    api: ApiClient, register: Register, send: Send
) -> None:
    event = send(register(), {}).json()["data"]
    elsewhere = ApiClient(api_key_for(MembershipFactory()))
    for method, path, body in (
        ("GET", f"{SOURCES}/orders", None),
        ("PATCH", f"{SOURCES}/orders", {"is_active": False}),
        ("DELETE", f"{SOURCES}/orders", None),
        ("POST", f"{SOURCES}/orders/rotate-secret", {}),
        ("POST", f"{SOURCES}/orders/validate", {"data": {}}),
        ("GET", f"integration/webhook/received/{event['id']}", None),
    ):
        elsewhere.refused(404, method, path, body)
    assert elsewhere.ok("GET", SOURCES)["results"] == []
    assert elsewhere.ok("GET", "integration/webhook/received?source=orders")["results"] == []


@pytest.mark.parametrize(("role", "status"), [("viewer", 403), ("developer", 403), ("admin", 201)])
def test_operators_register_sources(role: str, status: int, db: None) -> None:
    client = ApiClient(api_key_for(MembershipFactory(role_name=role)))
    assert client.call("POST", SOURCES, {"name": "orders"}).status_code == status
    assert client.call("GET", SOURCES).status_code == 200


def test_a_source_takes_its_events_along(api: ApiClient, register: Register, send: Send) -> None:
    send(register(), {})
    api.ok("DELETE", f"{SOURCES}/orders")
    assert not ReceivedEvent.objects.exists()


def test_lists_cost_the_same_however_long(api: ApiClient, register: Register, send: Send) -> None:
    def queries(ask: Any) -> int:
        ask()
        with CaptureQueriesContext(connection) as asked:
            ask()
        return len(asked)

    source = register()
    send(source, {}, event_id="m0")
    paths = (SOURCES, "integration/webhook/received")
    few = [queries(lambda path=path: api.ok("GET", path)) for path in paths]
    for number in range(1, 4):
        register(name=f"more{number}")
        send(source, {}, event_id=f"m{number}")
    assert [queries(lambda path=path: api.ok("GET", path)) for path in paths] == few
    assert max(few) <= 2
