"""Sending again: one, a range, only what is missing; always under the same webhook-id."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from authz.models import AuditEvent, Project
from integrations.models import WebhookDelivery, WebhookEndpoint
from integrations.webhooks.release import release
from integrations.webhooks.services import publish
from tests.api_client import ApiClient
from tests.factories.authz import ProjectFactory
from tests.integrations.webhooks.conftest import Register, Serve
from tests.integrations.webhooks.delivering import OK, attempt_due, only

State = WebhookDelivery.State
LONG_AGO = "2020-01-01T00:00:00Z"


def ids(server: Any) -> list[str]:
    return [
        request.partition(b"webhook-id: ")[2].partition(b"\r\n")[0].decode()
        for request in server.requests
    ]


def recover(api: ApiClient, endpoint: WebhookEndpoint, **body: Any) -> int:
    path = f"integration/webhook/endpoints/{endpoint.pk}/recover"
    count = api.ok("POST", path, {"since": LONG_AGO, **body})["deliveries"]
    release(endpoint.pk)
    attempt_due()
    return count


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.EXHAUSTED, State.FAILED, State.PENDING])
def test_one(
    state: str, api: ApiClient, serve: Serve, register: Register, project: Project
) -> None:
    server = serve(OK)
    register(server)
    message = publish("a.b", {}, project=project)
    attempt_due()
    WebhookDelivery.objects.update(state=state, step=9, next_attempt_at=timezone.now())
    answer = api.ok("POST", f"integration/webhook/deliveries/{only().pk}/replay")
    assert (answer["state"], answer["replay_count"]) == ("pending", 1)
    assert len(answer["attempts"]) == 1
    attempt_due()
    assert ids(server) == [message.message_id] * 2
    assert (only().state, only().attempt_count) == (State.SUCCEEDED, 2)
    event = AuditEvent.objects.get(action="webhookdelivery.replay")
    assert event.object_id == str(only().pk)


def test_not_while_the_endpoint_is_disabled(
    api: ApiClient, register: Register, project: Project
) -> None:
    endpoint = register("https://a.example")
    publish("a.b", {}, project=project)
    api.ok("POST", f"integration/webhook/endpoints/{endpoint.pk}/disable")
    api.refused(409, "POST", f"integration/webhook/deliveries/{only().pk}/replay")


def test_what_failed_in_a_range(
    api: ApiClient, serve: Serve, register: Register, project: Project
) -> None:
    server = serve(OK)
    endpoint = register(server)
    made = [publish("a.b", {"n": n}, project=project).message for n in range(5)]
    rows = list(WebhookDelivery.objects.order_by("pk"))
    for row, state in zip(
        rows, [State.EXHAUSTED, State.FAILED, State.SUCCEEDED, State.EXHAUSTED, State.PENDING],
        strict=True,
    ):  # fmt: skip
        row.state, row.next_attempt_at = state, None
        row.save()
    assert recover(api, endpoint, until=made[3].created_at.isoformat()) == 2
    assert ids(server) == [made[0].message_id, made[1].message_id]
    assert recover(api, endpoint, since=(timezone.now() + timedelta(days=1)).isoformat(),
                   until=(timezone.now() + timedelta(days=2)).isoformat()) == 0  # fmt: skip
    assert recover(api, endpoint) == 1
    assert recover(api, endpoint, scope="all") == 4
    event = AuditEvent.objects.filter(action="webhookendpoint.recover").latest("id")
    assert event.changes["deliveries"] == [None, 4]


def test_only_what_is_missing(
    api: ApiClient, serve: Serve, register: Register, project: Project
) -> None:
    """Published before the endpoint was there, or asked for it; nothing that it has."""
    server = serve(OK)
    early = publish("order.created", {}, project=project)
    publish("invoice.paid", {}, project=project)
    publish("audit.x.y", {}, project=project)
    publish("order.created", {}, project=ProjectFactory())
    endpoint = register(server, event_types=["order.*"])
    late = publish("order.created", {}, project=project)
    attempt_due()
    assert recover(api, endpoint, scope="missing") == 1
    assert ids(server) == [late.message_id, early.message_id]
    assert recover(api, endpoint, scope="missing") == 0


def test_a_disabled_endpoint_gets_it_once_it_is_enabled(
    api: ApiClient, serve: Serve, register: Register, project: Project
) -> None:
    server = serve(OK)
    endpoint = register(server)
    publish("a.b", {}, project=project)
    WebhookDelivery.objects.update(state=State.EXHAUSTED)
    api.ok("POST", f"integration/webhook/endpoints/{endpoint.pk}/disable")
    assert recover(api, endpoint) == 1
    assert server.requests == []
    api.ok("POST", f"integration/webhook/endpoints/{endpoint.pk}/enable")
    release(endpoint.pk)
    attempt_due()
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "/since"),
        ({"since": "yesterday"}, "/since"),
        ({"since": 5}, "/since"),
        ({"since": "2026-01-02T00:00:00Z", "until": "2026-01-01T00:00:00Z"}, "/since"),
        ({"since": "9999-12-31T23:59:59-14:00"}, "/since"),
        ({"since": "0001-01-01T00:00:00+14:00"}, "/since"),
        ({"since": LONG_AGO, "scope": "some"}, "/scope"),
        ({"since": LONG_AGO, "x": 1}, "/x"),
    ],
)
def test_odd_ranges(api: ApiClient, register: Register, body: Any, field: str) -> None:
    path = f"integration/webhook/endpoints/{register('https://a.example').pk}/recover"
    envelope = api.refused(400, "POST", path, body)
    assert envelope["error_details"]["fields"][0]["path"] == field


def test_another_projects_delivery_is_not_there(api: ApiClient, register: Register) -> None:
    project = ProjectFactory()
    register("https://a.example", project=project)
    publish("a.b", {}, project=project)
    path = f"integration/webhook/deliveries/{only().pk}"
    api.refused(404, "GET", path)
    api.refused(404, "POST", f"{path}/replay")
    assert api.ok("GET", "integration/webhook/deliveries")["results"] == []


def test_more_than_a_batch_is_released(
    register: Register, project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from integrations.webhooks import release as module

    monkeypatch.setattr(module, "BATCH", 4)
    endpoint = register("https://a.example")
    for n in range(10):
        publish("a.b", {"n": n}, project=project)
    WebhookDelivery.objects.update(state=State.HELD)
    assert release(endpoint.pk) == 10
    assert set(WebhookDelivery.objects.values_list("state", "run")) == {(State.PENDING, 1)}
