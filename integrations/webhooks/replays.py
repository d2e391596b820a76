"""Sending again: one delivery, or what an endpoint missed; the webhook-id stays the same.

Receivers know a message by its id, so one that has it already may leave it at that.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from integrations.models import WebhookDelivery, WebhookEndpoint, WebhookMessage
from integrations.webhooks import names
from integrations.webhooks.endpoints import locked
from integrations.webhooks.fan_out import BATCH
from intmod_site.api.errors import Conflict, ValidationFailed

State = WebhookDelivery.State
DEAD = (State.EXHAUSTED, State.FAILED)
MOST_MISSING = 10_000


class Scope(StrEnum):
    """What is sent again."""

    FAILED = "failed"
    """What was given up, by either kind of dead letter."""
    MISSING = "missing"
    """What was published when the endpoint was not there, or did not ask for it."""
    ALL = "all"
    """Everything that has ended, what was delivered too."""


def replay_delivery(*, actor: Actor, delivery: WebhookDelivery) -> WebhookDelivery:
    """Send one delivery again now, from the beginning of the schedule.

    Raises:
        Conflict: Its endpoint is disabled.
    """
    with transaction.atomic():
        endpoint = locked(delivery.endpoint)
        if endpoint.state != WebhookEndpoint.State.ACTIVE:
            raise Conflict(
                "The endpoint is disabled; enable it first.", code="webhook_endpoint_disabled"
            )
        current = WebhookDelivery.objects.select_for_update(no_key=True).get(pk=delivery.pk)
        before = state_of(current)
        current.state, current.ended_at, current.step = State.PENDING, None, 0
        current.replay_count += 1
        current.has_slot = False
        current.next_attempt_at = timezone.now()
        current.run += 1
        current.save()
        record_change(
            actor=actor,
            action="webhookdelivery.replay",
            obj=current,
            project=endpoint.project,
            before=before,
            after=state_of(current),
        )
    return current


def recover(
    *,
    actor: Actor,
    endpoint: WebhookEndpoint,
    since: datetime,
    until: datetime | None = None,
    scope: Scope = Scope.FAILED,
) -> int:
    """Send an endpoint again what was published in a time, and give how many deliveries.

    A disabled endpoint gets them once it is enabled.

    Args:
        actor: Who.
        endpoint: To whom.
        since, until: When it was published: from the one, before the other (now by default).
        scope: What of it.

    Raises:
        ValidationFailed: `since` is not before `until`.
    """
    until = until or timezone.now()
    if since >= until:
        raise ValidationFailed.of("since", "A moment before until.")
    with transaction.atomic():
        current = locked(endpoint)
        if scope is Scope.MISSING:
            count = _add_missing(current, since, until)
        else:
            count = _hold_ended(current, since, until, scope)
        record_change(
            actor=actor,
            action="webhookendpoint.recover",
            obj=current,
            project=current.project,
            after={
                "scope": scope.value,
                "since": since.isoformat(),
                "until": until.isoformat(),
                "deliveries": count,
            },
        )
    return count


def _hold_ended(endpoint: WebhookEndpoint, since: datetime, until: datetime, scope: Scope) -> int:
    states = DEAD if scope is Scope.FAILED else (*DEAD, State.SUCCEEDED)
    ended = WebhookDelivery.objects.filter(
        endpoint=endpoint,
        state__in=states,
        message__created_at__gte=since,
        message__created_at__lt=until,
    )
    return ended.update(state=State.HELD, ended_at=None, replay_count=F("replay_count") + 1)


def _add_missing(endpoint: WebhookEndpoint, since: datetime, until: datetime) -> int:
    theirs = WebhookDelivery.objects.filter(endpoint=endpoint, message=OuterRef("pk"))
    messages = (
        WebhookMessage.objects.in_project(endpoint.project_id)
        .filter(created_at__gte=since, created_at__lt=until)
        .filter(~Exists(theirs))
        .order_by("pk")
        .only("id", "event_type")
    )
    now = timezone.now()
    rows: list[Any] = []
    for message in messages.iterator(chunk_size=BATCH):
        if len(rows) >= MOST_MISSING:
            break
        if names.matches(endpoint.event_types, message.event_type):
            # The endpoint is locked: its places are ours until this is committed.
            endpoint.last_sequence += endpoint.is_ordered
            rows.append(
                WebhookDelivery(
                    project_id=endpoint.project_id,
                    message=message,
                    endpoint=endpoint,
                    state=State.HELD,
                    sequence=endpoint.last_sequence if endpoint.is_ordered else 0,
                    created_at=now,
                )
            )
    endpoint.save(update_fields=["last_sequence"])
    WebhookDelivery.objects.bulk_create(rows, batch_size=BATCH)
    return len(rows)
