"""From an event to its deliveries: who is told, once, and only if it was committed."""

import json
from typing import Any

import pytest
from django.db import transaction

from authz.models import Project
from integrations.models import WebhookDelivery, WebhookMessage
from integrations.webhooks import services
from integrations.webhooks.services import publish
from intmod_site.api.errors import Conflict
from tests.api_client import ApiClient
from tests.factories.authz import ProjectFactory
from tests.integrations.webhooks.conftest import Register

PATH = "integration/webhook"
EVENT: dict[str, Any] = {"event_type": "order.created", "data": {"total": 12.5, "é": [1, None]}}


def test_each_endpoint_that_wants_it_gets_a_delivery(api: ApiClient, register: Register) -> None:
    wanting = [
        register("https://a.example", event_types=["order.*"]),
        register("https://b.example", event_types=["invoice.paid", "*.created"]),
    ]
    register("https://c.example", event_types=["invoice.*"])
    answer = api.ok("POST", PATH, EVENT)
    assert answer["deliveries"] == 2
    rows = WebhookDelivery.objects.filter(message__message_id=answer["message_id"])
    assert {row.endpoint_id for row in rows} == {row.pk for row in wanting}
    message = WebhookMessage.objects.get()
    body = json.loads(message.body)
    assert list(body) == ["id", "event_type", "timestamp", "data"]
    assert (body["id"], body["data"]) == (answer["message_id"], EVENT["data"])
    assert body["timestamp"].endswith("Z")
    assert "." not in answer["message_id"]


def test_endpoints_of_other_projects_hear_nothing(api: ApiClient, register: Register) -> None:
    register("https://a.example", project=ProjectFactory())
    assert api.ok("POST", PATH, EVENT)["deliveries"] == 0
    assert WebhookMessage.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_what_was_committed_is_told_and_what_was_rolled_back_is_not(
    project: Project, register: Register
) -> None:
    register("https://a.example")

    def fail() -> None:
        with transaction.atomic():
            publish("order.created", {"n": 1}, project=project)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert (WebhookMessage.objects.count(), WebhookDelivery.objects.count()) == (0, 0)
    with transaction.atomic():
        publish("order.created", {"n": 2}, project=project)
    assert json.loads(WebhookMessage.objects.get().body)["data"] == {"n": 2}
    assert WebhookDelivery.objects.count() == 1


def test_the_same_id_with_the_same_content_is_told_once(api: ApiClient, register: Register) -> None:
    register("https://a.example")
    first = api.ok("POST", PATH, {**EVENT, "id": "order-17"})
    again = api.ok("POST", PATH, {"id": "order-17", **EVENT})
    assert first == again == {"message_id": "order-17", "deliveries": 1}
    assert WebhookDelivery.objects.count() == 1
    api.refused(409, "POST", PATH, {**EVENT, "id": "order-17", "data": {}})
    assert WebhookMessage.objects.count() == 1


def test_ids_belong_to_a_project(api: ApiClient) -> None:
    publish("order.created", {"other": 1}, project=ProjectFactory(), message_id="order-17")
    assert api.ok("POST", PATH, {**EVENT, "id": "order-17"})["message_id"] == "order-17"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "/event_type"),
        ({**EVENT, "data": [1]}, "/data"),
        ({**EVENT, "data": None}, "/data"),
        ({**EVENT, "event_type": "Order Created"}, "/event_type"),
        ({**EVENT, "event_type": "audit.project.create"}, "/event_type"),
        ({**EVENT, "event_type": "model.alert.firing"}, "/event_type"),
        ({**EVENT, "event_type": 7}, "/event_type"),
        ({**EVENT, "id": "a.b"}, "/id"),
        ({**EVENT, "id": ""}, "/id"),
        ({**EVENT, "id": "x" * 65}, "/id"),
        ({**EVENT, "id": "audit_17"}, "/id"),
        ({**EVENT, "id": "in_" + "0" * 32}, "/id"),
        ({**EVENT, "id": "in_" + "f" * 32 + "_2"}, "/id"),
        ({**EVENT, "more": 1}, "/more"),
    ],
)
def test_odd_events_are_refused_by_field(api: ApiClient, body: Any, field: str) -> None:
    envelope = api.refused(400, "POST", PATH, body)
    assert envelope["error_details"]["fields"][0]["path"] == field
    assert not WebhookMessage.objects.exists()


def test_the_longest_body_is_256_kib(api: ApiClient) -> None:
    empty = len(json.dumps({**EVENT, "id": "x", "timestamp": "2026-11-23T06:00:00.000Z"}))
    room = services.BODY_LIMIT_BYTES - 1000 - empty
    api.ok("POST", PATH, {**EVENT, "data": {"text": "x" * room}})
    envelope = api.refused(413, "POST", PATH, {**EVENT, "data": {"text": "x" * (room + 2000)}})
    assert envelope["error_details"]["code"] == "payload_too_large"
    assert WebhookMessage.objects.count() == 1


def test_publishing_needs_its_permission(membership: Any) -> None:
    from tests.factories.authz import api_key_for

    viewer = ApiClient(api_key_for(membership, scopes=["integrations.view_webhookmessage"]))
    viewer.refused(403, "POST", PATH, EVENT)


def test_two_who_publish_the_same_id_at_once(project: Project) -> None:
    """The second finds the first only when it inserts."""
    publish("order.created", {"n": 1}, project=project, message_id="m1")
    looked = []
    known = services._known

    def blind_once(message: WebhookMessage) -> Any:
        looked.append(1)
        return None if len(looked) == 1 else known(message)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(services, "_known", blind_once)
        assert not publish("order.created", {"n": 1}, project=project, message_id="m1").is_new
        looked.clear()
        with pytest.raises(Conflict):
            publish("order.created", {"n": 2}, project=project, message_id="m1")
    assert WebhookMessage.objects.count() == 1
