"""Telling what the audit log holds: committed events become messages called `audit.<action>`.

An event's id is given when it is written and seen when it is committed, which on PostgreSQL is not
the same order. So the mark follows a while behind, and what lies after it is looked at again; a
message's id is made of its event's, and an event that was told is told no more.
"""

from collections.abc import Iterable
from datetime import timedelta
from functools import partial
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from authz.models import AuditEvent, Project
from integrations.models import AuditFeed, WebhookEndpoint, WebhookMessage
from integrations.webhooks import names
from integrations.webhooks.policies import KIND
from integrations.webhooks.services import publish
from intmod_site.api.errors import PayloadTooLarge

SETTLED_AFTER = timedelta(minutes=10)
"""No transaction stays open for so long: an event this old has all that came before it."""

BATCH = 500


def publish_audit_events() -> int:
    """Tell what was committed and not told; gives how many messages that made.

    Several at once do no harm: an event's message can be written once only.
    """
    feed, _ = AuditFeed.objects.get_or_create(id=1)
    asking = _projects_that_ask()
    told, after = 0, feed.event_id
    while asking and (batch := list(_events(asking, after)[:BATCH])):
        told += _publish_batch(batch, asking)
        after = batch[-1].pk
    _move_mark()
    return told


def _projects_that_ask() -> dict[Any, list[WebhookEndpoint]]:
    asking: dict[Any, list[WebhookEndpoint]] = {}
    for endpoint in WebhookEndpoint.objects.only("project_id", "event_types", "created_at"):
        if names.asks_for_audit(endpoint.event_types):
            asking.setdefault(endpoint.project_id, []).append(endpoint)
    return asking


def _publish_batch(events: list[AuditEvent], asking: dict[Any, list[WebhookEndpoint]]) -> int:
    wanted = [event for event in events if _is_wanted(event, asking.get(event.project_id, []))]
    ids = [message_id_of(event) for event in wanted]
    # Ids belong to a project: what another one calls the same keeps nothing from being told.
    known = set(
        WebhookMessage.objects.filter(
            project__in={event.project_id for event in wanted}, message_id__in=ids
        ).values_list("project_id", "message_id")
    )
    projects = Project.objects.in_bulk({event.project_id for event in wanted})
    told = 0
    for event in wanted:
        project = projects.get(event.project_id)
        if project is not None and (project.pk, message_id_of(event)) not in known:
            told += _publish(event, project)
    return told


def _publish(event: AuditEvent, project: Project) -> bool:
    data = _data(event)
    tell = partial(publish, event_type_of(event), project=project, message_id=message_id_of(event))
    try:
        return tell(data).is_new
    except PayloadTooLarge:
        return tell(data | {"changes": None}).is_new


def _is_wanted(event: AuditEvent, endpoints: list[WebhookEndpoint]) -> bool:
    # What policies on endpoints decide while messages are sent would lead to further messages.
    if event.action == "policy.decide" and event.object_type == KIND.replace("_", ""):
        return False
    name = event_type_of(event)
    return any(
        endpoint.created_at <= event.occurred_at and names.matches(endpoint.event_types, name)
        for endpoint in endpoints
    )


def event_type_of(event: AuditEvent) -> str:
    """Give the type under which an event is told: `audit.project.create`.

    A refused request's action is its method and path, which no pattern could name.
    """
    named = names.NAME.fullmatch(event.action)
    return names.AUDIT + (event.action if named else "request.denied")


def message_id_of(event: AuditEvent) -> str:
    """Give the id under which an event is told."""
    return f"audit_{event.pk}"


def _data(event: AuditEvent) -> dict[str, Any]:
    return {
        "event_id": event.pk,
        "occurred_at": event.occurred_at.isoformat(),
        "action": event.action,
        "outcome": event.outcome,
        "actor_kind": event.actor_kind,
        "actor_id": event.actor_id,
        "actor_label": event.actor_label,
        "credential": event.credential,
        "object_type": event.object_type,
        "object_id": event.object_id,
        "object_label": event.object_label,
        "changes": event.changes,
        "request_id": event.request_id,
    }


def _events(asking: Iterable[Any], after: int) -> QuerySet[AuditEvent]:
    return AuditEvent.objects.filter(pk__gt=after, project_id__in=list(asking)).order_by("pk")


def _move_mark() -> None:
    settled = timezone.now() - SETTLED_AFTER
    newest = (
        AuditEvent.objects.filter(occurred_at__lt=settled)
        .order_by("-pk")
        .values_list("pk", flat=True)
        .first()
    )
    if newest is not None:
        AuditFeed.objects.filter(id=1, event_id__lt=newest).update(event_id=newest)
