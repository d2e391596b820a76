"""The catalogue of event types, and what its schemas refuse."""

from typing import Any

import pytest

from authz.models import AuditEvent
from integrations.models import EventType, WebhookMessage
from integrations.webhooks.built_in import write_built_in
from tests.api_client import ApiClient

PATH = "integration/webhook/event-types"
SCHEMA = {
    "type": "object",
    "required": ["total"],
    "properties": {
        "total": {"type": "number", "minimum": 0},
        "lines": {"items": {"type": "object"}},
    },
    "additionalProperties": False,
}


def publish(api: ApiClient, status: int, data: dict[str, Any]) -> Any:
    body = {"event_type": "order.created", "data": data}
    response = api.call("POST", "integration/webhook", body)
    assert response.status_code == status, response.content
    return response.json()


def test_data_must_be_as_the_schema_says(api: ApiClient) -> None:
    api.ok("POST", PATH, {"name": "order.created", "schema": SCHEMA})
    publish(api, 202, {"total": 3})
    envelope = publish(api, 400, {"lines": [1], "x": 1})
    paths = {field["path"] for field in envelope["error_details"]["fields"]}
    assert {"/data/total", "/data/lines/0"} <= paths
    assert WebhookMessage.objects.count() == 1


def test_a_changed_schema_counts_for_the_next_event(api: ApiClient) -> None:
    row = api.ok("POST", PATH, {"name": "order.created", "schema": SCHEMA})
    publish(api, 400, {})
    api.ok("PATCH", f"{PATH}/{row['id']}", {"schema": None})
    publish(api, 202, {})
    api.ok("PATCH", f"{PATH}/{row['id']}", {"is_archived": True})
    assert publish(api, 400, {})["error_details"]["fields"][0]["path"] == "/event_type"
    api.ok("DELETE", f"{PATH}/{row['id']}")
    publish(api, 202, {})
    actions = list(
        AuditEvent.objects.filter(object_type="eventtype").values_list("action", flat=True)
    )
    assert sorted(set(actions)) == ["eventtype.create", "eventtype.delete", "eventtype.update"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "Order"}, "/name"),
        ({"name": "audit.x"}, "/name"),
        ({"name": "order.x", "schema": {"$ref": "https://evil.example/s"}}, "/schema/$ref"),
        ({"name": "order.x", "schema": {"type": "nothing"}}, "/schema/type"),
        ({"name": "order.x", "schema": {"requird": ["a"]}}, "/schema/requird"),
        ({"name": "order.x", "schema": {"pattern": "(?=a)"}}, "/schema/pattern"),
        ({"name": "order.x", "schema": {"title": "x" * 70000}}, "/schema"),
        ({"name": "order.x", "schema": []}, "/schema"),
    ],
)  # fmt: skip
def test_odd_types_are_refused_by_field(api: ApiClient, body: Any, field: str) -> None:
    envelope = api.refused(400, "POST", PATH, body)
    assert envelope["error_details"]["fields"][0]["path"] == field
    assert not EventType.objects.filter(project__isnull=False).exists()


def test_a_name_is_taken_once_in_a_project(api: ApiClient) -> None:
    api.ok("POST", PATH, {"name": "order.created"})
    api.refused(409, "POST", PATH, {"name": "order.created"})


def test_the_products_own_types_are_listed_and_fixed(api: ApiClient) -> None:
    write_built_in()
    rows = {row["name"]: row for row in api.ok("GET", PATH)["results"]}
    own = rows["webhook.endpoint.disabled"]
    assert own["is_built_in"] is True
    assert own["schema"]["type"] == "object"
    api.refused(409, "PATCH", f"{PATH}/{own['id']}", {"description": "mine"})
    api.refused(409, "DELETE", f"{PATH}/{own['id']}")
    before = EventType.objects.filter(project=None).count()
    write_built_in()
    assert EventType.objects.filter(project=None).count() == before


def test_types_of_other_projects_are_not_there(api: ApiClient) -> None:
    from tests.factories.authz import ProjectFactory

    theirs = EventType.objects.create(project=ProjectFactory(), name="secret.thing")
    assert "secret.thing" not in {row["name"] for row in api.ok("GET", PATH)["results"]}
    api.refused(404, "GET", f"{PATH}/{theirs.pk}")
    api.refused(404, "DELETE", f"{PATH}/{theirs.pk}")
