"""The audit log as messages: all that is committed, once, for those who ask for it."""

import json
from datetime import timedelta
from typing import Any

import time_machine
from django.db import transaction
from django.utils import timezone

from authz.audit.record import record_denial, record_event
from authz.models import AuditEvent, Project
from integrations.models import AuditFeed, WebhookDelivery, WebhookMessage
from integrations.webhooks import audit_feed
from integrations.webhooks.audit_feed import publish_audit_events
from integrations.webhooks.services import publish
from tests.factories.authz import ACTOR, ProjectFactory
from tests.integrations.webhooks.conftest import Register


def happen(project: Project | None, action: str = "thing.change", **fields: Any) -> None:
    record_event(
        actor=ACTOR,
        action=action,
        outcome=AuditEvent.Outcome.SUCCESS,
        project=project,
        **{"changes": {"a": [1, 2]}, **fields},
    )


def told() -> list[str]:
    return list(WebhookMessage.objects.order_by("pk").values_list("event_type", flat=True))


def test_what_is_committed_is_told_once(register: Register, project: Project) -> None:
    register("https://a.example", event_types=["audit.thing.*", "audit.request.denied"])
    publish_audit_events()
    happen(project)
    happen(project, "other.change")
    happen(ProjectFactory())
    happen(None)
    record_denial(actor=ACTOR, action="post /api/v1/x", project=project, reason="no")
    with transaction.atomic():
        happen(project, "thing.undone")
        transaction.set_rollback(True)
    assert publish_audit_events() == 2
    assert publish_audit_events() == 0
    assert told() == ["audit.thing.change", "audit.request.denied"]
    message = WebhookMessage.objects.order_by("pk")[0]
    data = json.loads(message.body)["data"]
    event = AuditEvent.objects.get(action="thing.change", project_id=project.pk)
    assert message.message_id == f"audit_{event.pk}"
    assert (data["event_id"], data["changes"], data["actor_label"]) == (
        event.pk, {"a": [1, 2]}, "tests",
    )  # fmt: skip
    assert WebhookDelivery.objects.count() == 2


def test_an_event_that_is_seen_late_is_not_left_out(register: Register, project: Project) -> None:
    """Its id is lower than that of one that was told before."""
    register("https://a.example", event_types=["audit.thing.*"])
    happen(project, "thing.early")
    early = AuditEvent.objects.get(action="thing.early")
    happen(project, "thing.late")
    hidden = AuditEvent.objects.exclude(pk=early.pk)
    held_back = audit_feed._events
    audit_feed._events = lambda asking, after: held_back(asking, after) & hidden  # type: ignore[assignment]
    try:
        publish_audit_events()
    finally:
        audit_feed._events = held_back
    assert told() == ["audit.thing.late"]
    publish_audit_events()
    assert told() == ["audit.thing.late", "audit.thing.early"]


def test_the_mark_follows_when_nothing_can_come_before_it(
    register: Register, project: Project
) -> None:
    register("https://a.example", event_types=["audit.*"])
    happen(project)
    newest = AuditEvent.objects.latest("id").pk
    publish_audit_events()
    assert AuditFeed.objects.get().event_id == 0
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        publish_audit_events()
        assert AuditFeed.objects.get().event_id == newest
        happen(project, "thing.new")
        assert publish_audit_events() == 1


def test_what_was_before_the_endpoint_is_not_told(register: Register, project: Project) -> None:
    happen(project)
    register("https://a.example", event_types=["audit.thing.*"])
    assert publish_audit_events() == 0


def test_changes_that_are_too_long_are_left_out(register: Register, project: Project) -> None:
    register("https://a.example", event_types=["audit.thing.*"])
    happen(project, changes={"text": "x" * 300_000})
    happen(project, "thing.big", changes={"n": 10**30})
    assert publish_audit_events() == 2
    first, second = WebhookMessage.objects.order_by("pk")
    assert json.loads(first.body)["data"]["changes"] is None
    assert json.loads(second.body)["data"]["changes"] == {"n": 10**30}


def test_what_policies_decide_about_webhooks_leads_to_no_further_ones(
    register: Register, project: Project
) -> None:
    register("https://a.example", event_types=["audit.policy.*"])
    happen(project, "policy.decide", object_type="webhookendpoint")
    happen(project, "policy.decide", object_type="integration")
    assert publish_audit_events() == 1


def test_another_projects_message_of_that_id_keeps_nothing_untold(
    register: Register, project: Project
) -> None:
    register("https://a.example", event_types=["audit.thing.*"])
    happen(project)
    event = AuditEvent.objects.get(action="thing.change")
    publish("order.created", {}, project=ProjectFactory(), message_id=f"audit_{event.pk}")
    assert publish_audit_events() == 1


def test_nobody_asks(project: Project, django_assert_num_queries: Any) -> None:
    happen(project)
    publish_audit_events()
    with django_assert_num_queries(3):
        assert publish_audit_events() == 0
