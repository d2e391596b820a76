"""Disabling and enabling: by hand, or after too many days or attempts; what is held meanwhile."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from authz.models import AuditEvent, Project
from integrations.models import WebhookDelivery, WebhookMessage
from integrations.webhooks.release import release
from integrations.webhooks.services import publish
from tests.api_client import ApiClient
from tests.integrations.http.scripted_server import Peer
from tests.integrations.webhooks.conftest import Register, Serve
from tests.integrations.webhooks.delivering import BROKEN, FAR, OK, attempt_due, reload

State = WebhookDelivery.State


def states() -> list[str]:
    return list(WebhookDelivery.objects.order_by("pk").values_list("state", flat=True))


def announced() -> list[dict[str, Any]]:
    rows = WebhookMessage.objects.filter(event_type="webhook.endpoint.disabled")
    return [json.loads(row.body)["data"] for row in rows]


def test_what_is_published_while_it_is_disabled_is_held_and_then_delivered(
    api: ApiClient, serve: Serve, register: Register, project: Project
) -> None:
    server = serve(OK)
    endpoint = register(server)
    path = f"integration/webhook/endpoints/{endpoint.pk}"
    publish("a.b", {"n": 1}, project=project)
    assert api.ok("POST", f"{path}/disable")["disabled_reason"] == "manual"
    publish("a.b", {"n": 2}, project=project)
    assert states() == [State.HELD] * 2
    assert attempt_due(within=FAR) == []
    api.refused(409, "POST", f"{path}/disable")
    assert release(endpoint.pk) == 0
    shown = api.ok("POST", f"{path}/enable")
    assert (shown["state"], shown["disabled_at"]) == ("active", None)
    api.refused(409, "POST", f"{path}/enable")
    release(endpoint.pk)
    attempt_due()
    assert states() == [State.SUCCEEDED] * 2
    assert len(server.requests) == 2
    actions = AuditEvent.objects.filter(object_type="webhookendpoint").order_by("id")
    assert list(actions.values_list("action", flat=True))[1:] == [
        "webhookendpoint.disable", "webhookendpoint.enable",
    ]  # fmt: skip


def test_after_so_many_failures_in_a_row(
    serve: Serve, register: Register, project: Project
) -> None:
    failing = register(serve(BROKEN), disable_after_failures=3, event_types=["order.*"])
    register("https://b.example", event_types=["webhook.*"])
    publish("order.created", {}, project=project)
    for _ in range(5):
        attempt_due(within=FAR)
    endpoint = reload(failing)
    assert (endpoint.state, endpoint.disabled_reason) == ("disabled", "failing_attempts")
    assert endpoint.consecutive_failures == 3
    event = AuditEvent.objects.get(action="webhookendpoint.disable")
    assert (event.actor_kind, event.object_id) == ("system", str(failing.pk))
    (data,) = announced()
    assert (data["endpoint_id"], data["reason"]) == (str(failing.pk), "failing_attempts")


def test_one_success_in_between_begins_anew(
    serve: Serve, register: Register, project: Project
) -> None:
    turn = iter(range(100))

    def script(peer: Peer) -> None:
        while peer.request():
            peer.send(OK if next(turn) == 2 else BROKEN)

    endpoint = register(serve(script), disable_after_failures=3)
    for n in range(3):
        publish("a.b", {"n": n}, project=project)
        attempt_due()
    attempt_due(within=FAR)
    assert (reload(endpoint).state, reload(endpoint).consecutive_failures) == ("active", 2)


def test_after_so_many_days_without_success(
    serve: Serve, register: Register, project: Project
) -> None:
    endpoint = register(serve(BROKEN), disable_after_days=5)
    publish("a.b", {}, project=project)
    attempt_due()
    begun = timezone.now()
    with time_machine.travel(begun + timedelta(days=4, hours=23)):
        publish("a.b", {}, project=project)
        attempt_due()
        assert reload(endpoint).state == "active"
    with time_machine.travel(begun + timedelta(days=5, minutes=1)):
        publish("a.b", {}, project=project)
        attempt_due()
    assert (reload(endpoint).state, reload(endpoint).disabled_reason) == (
        "disabled", "failing_days",
    )  # fmt: skip
    assert announced()[0]["failing_since"] is not None


def test_never_where_both_limits_are_empty(
    serve: Serve, register: Register, project: Project
) -> None:
    endpoint = register(serve(BROKEN), disable_after_days=None, disable_after_failures=None)
    publish("a.b", {}, project=project)
    attempt_due()
    with time_machine.travel(timezone.now() + timedelta(days=1000)):
        attempt_due()
    assert reload(endpoint).state == "active"


def test_an_endpoint_is_not_told_of_its_own_end(
    serve: Serve, register: Register, project: Project
) -> None:
    register(serve(BROKEN), disable_after_failures=1)
    publish("a.b", {}, project=project)
    attempt_due()
    assert len(announced()) == 1
    assert WebhookDelivery.objects.count() == 1


@pytest.mark.parametrize("name", ["enable", "disable"])
def test_they_take_no_fields(name: str, api: ApiClient, register: Register) -> None:
    path = f"integration/webhook/endpoints/{register('https://a.example').pk}"
    api.refused(400, "POST", f"{path}/{name}", {"x": 1})
