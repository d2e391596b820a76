"""The endpoints' API: what is taken, what is refused, what is never shown."""

from typing import Any

import pytest

from authz.models import AuditEvent
from integrations.models import WebhookDelivery, WebhookEndpoint
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, ProjectFactory, api_key_for
from tests.integrations.webhooks.conftest import SECRET, Register

PATH = "integration/webhook/endpoints"
BODY: dict[str, Any] = {"url": "https://a.example/hooks", "event_types": ["order.*"]}


def test_a_secret_is_made_and_shown_once(api: ApiClient) -> None:
    made = api.ok("POST", PATH, BODY)
    secret = made["secret"]
    assert secret.startswith("whsec_")
    assert len(secret) == len("whsec_") + 44
    for text in (
        api.call("GET", f"{PATH}/{made['id']}").content,
        api.call("GET", PATH).content,
        api.call("PATCH", f"{PATH}/{made['id']}", {"description": "x"}).content,
        repr(list(AuditEvent.objects.values())).encode(),
    ):
        assert secret.encode() not in text
    shown = api.ok("GET", f"{PATH}/{made['id']}")
    assert shown["secret"] == f"…{secret[-4:]}"
    stored = WebhookEndpoint.objects.get()
    assert secret not in str(vars(stored))
    assert stored.secret.reveal() == secret


def test_a_secret_of_ones_own(api: ApiClient) -> None:
    assert api.ok("POST", PATH, {**BODY, "secret": SECRET})["secret"] == SECRET


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"url": "ftp://a.example"}, "/url"),
        ({"url": "https://user:pw@a.example/"}, "/url"),
        ({"url": "https://a.example/#x"}, "/url"),
        ({"url": 5}, "/url"),
        ({"event_types": []}, "/event_types"),
        ({"event_types": "order.*"}, "/event_types"),
        ({"event_types": ["order.*", "Or der"]}, "/event_types/1"),
        ({"secret": "abc"}, "/secret"),
        ({"secret": "whsec_AAAA"}, "/secret"),
        ({"headers": {"Webhook-Id": "x"}}, "/headers"),
        ({"headers": {"Content-Type": "x"}}, "/headers"),
        ({"headers": {"Transfer-Encoding": "x"}}, "/headers"),
        ({"headers": {"Authorization": "x"}}, "/headers"),
        ({"headers": {"X": "a\r\nb"}}, "/headers"),
        ({"deliveries_per_minute": 0}, "/deliveries_per_minute"),
        ({"deliveries_per_minute": 2**62}, "/deliveries_per_minute"),
        ({"timeout_s": 0}, "/timeout_s"),
        ({"timeout_s": 61}, "/timeout_s"),
        ({"disable_after_days": 366}, "/disable_after_days"),
        ({"disable_after_failures": 10**15}, "/disable_after_failures"),
        ({"description": "x" * 201}, "/description"),
        ({"state": "disabled"}, "/state"),
        ({"slot_us": 1}, "/slot_us"),
    ],
)
def test_odd_endpoints_are_refused_by_field(api: ApiClient, changes: Any, field: str) -> None:
    envelope = api.refused(400, "POST", PATH, {**BODY, **changes})
    assert envelope["error_details"]["fields"][0]["path"] == field
    assert not WebhookEndpoint.objects.exists()
    if "secret" in changes:
        return
    made = api.ok("POST", PATH, BODY)
    before = WebhookEndpoint.objects.values().get()
    api.refused(400, "PATCH", f"{PATH}/{made['id']}", changes)
    assert WebhookEndpoint.objects.values().get() == before


def test_the_audit_log_is_told_only_by_who_may_read_it(api: ApiClient) -> None:
    audit = {**BODY, "event_types": ["order.*", "audit.*"]}
    api.refused(403, "POST", PATH, audit)
    made = api.ok("POST", PATH, BODY)
    api.refused(403, "PATCH", f"{PATH}/{made['id']}", {"event_types": ["audit.project.create"]})
    membership = MembershipFactory(project__slug="bank", role_name="admin")
    admin = ApiClient(api_key_for(membership))
    theirs = admin.ok("POST", PATH, audit)
    narrowed = ApiClient(
        api_key_for(
            membership,
            scopes=["integrations.change_webhookendpoint", "integrations.view_webhookendpoint"],
        )
    )
    url = {"url": "https://elsewhere.example"}
    narrowed.refused(403, "PATCH", f"{PATH}/{theirs['id']}", url)
    narrowed.ok("PATCH", f"{PATH}/{theirs['id']}", {"description": "fine"})


def test_removing_takes_its_deliveries_along(api: ApiClient, register: Register) -> None:
    endpoint = register("https://a.example")
    api.ok("POST", "integration/webhook", {"event_type": "a.b", "data": {}})
    api.ok("DELETE", f"{PATH}/{endpoint.pk}")
    assert not WebhookDelivery.objects.exists()
    assert AuditEvent.objects.filter(action="webhookendpoint.delete").count() == 1
    api.refused(404, "GET", f"{PATH}/{endpoint.pk}")


def test_another_projects_endpoint_is_not_there(api: ApiClient, register: Register) -> None:
    theirs = register("https://a.example", project=ProjectFactory())
    path = f"{PATH}/{theirs.pk}"
    for method, suffix, body in (
        ("GET", "", None),
        ("PATCH", "", {"description": "x"}),
        ("DELETE", "", None),
        ("POST", "/rotate-secret", {}),
        ("POST", "/enable", None),
        ("POST", "/disable", None),
        ("POST", "/recover", {"since": "2026-01-01T00:00:00Z"}),
    ):
        api.refused(404, method, path + suffix, body)
    assert api.ok("GET", PATH)["results"] == []


def test_lists_do_not_grow_queries(
    api: ApiClient, register: Register, django_assert_max_num_queries: Any
) -> None:
    for _ in range(12):
        register("https://a.example")
    for _ in range(3):
        api.ok("POST", "integration/webhook", {"event_type": "a.b", "data": {}})
    for path in (PATH, "integration/webhook/deliveries", "integration/webhook/messages"):
        with django_assert_max_num_queries(4):
            assert len(api.ok("GET", path)["results"]) in {3, 12, 36}


def test_the_records_of_a_message(api: ApiClient, register: Register) -> None:
    endpoint = register("https://a.example")
    event = {"event_type": "a.b", "data": {"n": 1}, "id": "m-1"}
    api.ok("POST", "integration/webhook", event)
    api.ok("POST", "integration/webhook", {"event_type": "a.c", "data": {}})
    message = api.ok("GET", "integration/webhook/messages/m-1")
    assert (message["body"]["data"], message["event_type"]) == ({"n": 1}, "a.b")
    api.refused(404, "GET", "integration/webhook/messages/nothing")
    rows = api.ok("GET", "integration/webhook/deliveries?message_id=m-1")["results"]
    assert [(row["message_id"], row["state"]) for row in rows] == [("m-1", "pending")]
    of_endpoint = f"integration/webhook/deliveries?endpoint_id={endpoint.pk}&state=pending"
    assert len(api.ok("GET", of_endpoint)["results"]) == 2
    assert api.ok("GET", f"integration/webhook/deliveries/{rows[0]['id']}")["attempts"] == []
    api.refused(400, "GET", "integration/webhook/deliveries?state=odd")
    api.refused(400, "GET", "integration/webhook/deliveries?endpoint_id=odd")
    assert len(api.ok("GET", "integration/webhook/messages?event_type=a.c")["results"]) == 1


def test_messages_of_the_audit_log_are_for_those_who_may_read_it(
    api: ApiClient, membership: Any
) -> None:
    from integrations.webhooks.services import publish

    publish("audit.project.create", {"x": 1}, project=membership.project, message_id="audit_1")
    api.refused(404, "GET", "integration/webhook/messages/audit_1")
    assert api.ok("GET", "integration/webhook/messages")["results"] == []
    admin = MembershipFactory(project=membership.project, role_name="admin")
    reader = ApiClient(api_key_for(admin))
    assert reader.ok("GET", "integration/webhook/messages/audit_1")["body"]["data"] == {"x": 1}


@pytest.mark.parametrize("odd", ["%00", "%ED%A0%80", "a" * 500, "%2E%2E", "'"])
def test_odd_ids_are_not_there(odd: str, api: ApiClient) -> None:
    for path in (PATH, "integration/webhook/deliveries", "integration/webhook/messages"):
        assert api.call("GET", f"{path}/{odd}").status_code in {400, 404}
    assert api.call("GET", f"integration/webhook/deliveries?message_id={odd}").status_code < 500
