"""Handing an event on: to each receiver of its source, then to the webhook endpoints.

`hand_on` may be called by anybody at any time, twice or late. Who claims the event has it for a
while; the count of claims tells a claim from a later one, so that who lost it writes nothing.
"""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from authz.audit.actor import Actor
from integrations.models import ReceivedEvent
from integrations.webhooks.inbound.receivers import InboundEvent, receiver_named
from integrations.webhooks.schedule import DELAYS_S, delay_s
from integrations.webhooks.services import publish
from intmod_site.api.errors import ApiError

log = logging.getLogger("intmod.webhooks")

State = ReceivedEvent.State
CLAIM_S = 300
"""After this long somebody else may hand it on: whoever had claimed it is taken for dead."""

BATCH = 100


class _Lost(Exception):
    """The event was claimed by somebody else meanwhile, replayed, or removed."""


def hand_on_due(*, until: Callable[[], bool] = lambda: False) -> int:
    """Hand on each event that is due, oldest first, and give how many were.

    Args:
        until: Asked between two; true ends it.
    """
    done = 0
    for event_id in list(due().values_list("pk", flat=True)[:BATCH]):
        if until():
            break
        done += hand_on(event_id) is not None
    return done


def due() -> "QuerySet[ReceivedEvent]":
    """Give the events whose moment has come."""
    rows: QuerySet[ReceivedEvent] = ReceivedEvent.objects.filter(
        state=State.WAITING, next_at__lte=timezone.now()
    )
    return rows.order_by("next_at", "pk")


def hand_on(event_id: UUID) -> str | None:
    """Hand an event on, if it is due and nobody else does, and give its state; None if not."""
    event = _claimed(event_id)
    if event is None:
        return None
    who = "claiming"
    try:
        if event.attempts > len(DELAYS_S):
            return _put_off(event, "It was given up: whoever handed it on never came back.", None)
        given = _given(event)
        for who in event.source.receivers:
            if who not in event.handled_by:
                _hand_to(who, event, given)
        who = "publishing"
        _finish(event, given)
    except _Lost:
        return None
    except Exception as error:  # noqa: BLE001 -- receivers are anybody's code; each is told apart
        return _failed(event, who, error)
    return State.HANDLED


def _claimed(event_id: UUID) -> ReceivedEvent | None:
    now = timezone.now()
    claimed = ReceivedEvent.objects.filter(
        pk=event_id, state=State.WAITING, next_at__lte=now
    ).update(attempts=F("attempts") + 1, next_at=now + timedelta(seconds=CLAIM_S))
    if not claimed:
        return None
    rows = ReceivedEvent.objects.select_related("source__project", "project")
    event: ReceivedEvent | None = rows.filter(pk=event_id).first()
    return event


def _given(event: ReceivedEvent) -> InboundEvent:
    return InboundEvent(
        id=event.pk,
        project_id=event.project_id,
        source=event.source.name,
        event_id=event.event_id,
        event_type=event.event_type,
        received_at=event.received_at,
        payload=json.loads(event.body),
    )


def _hand_to(name: str, event: ReceivedEvent, given: InboundEvent) -> None:
    """Let one receiver have it: what it writes and that it has it are committed together."""
    receiver = receiver_named(name)
    if receiver is None:
        raise LookupError(name)
    with transaction.atomic():
        event.handled_by = [*event.handled_by, name]
        _write(event, handled_by=event.handled_by)
        receiver(given)


def _finish(event: ReceivedEvent, given: InboundEvent) -> None:
    """Publish it where its source says so, and note that it is handed on, at once."""
    with transaction.atomic():
        message_id = ""
        if event.source.publishes_as:
            message_id = f"in_{event.pk.hex}" + (f"_{event.run}" if event.run else "")
            publish(
                event.source.publishes_as,
                _told(given),
                project=event.project,
                actor=Actor(kind="system", label=f"inbound source {given.source}"),
                message_id=message_id,
            )
        _write(
            event,
            state=State.HANDLED,
            handled_at=timezone.now(),
            next_at=None,
            message_id=message_id,
            error="",
        )


def _told(given: InboundEvent) -> dict[str, Any]:
    moment = given.received_at.astimezone(UTC).isoformat(timespec="milliseconds")
    return {
        "source": given.source,
        "event_id": given.event_id,
        "event_type": given.event_type,
        "received_at": moment.replace("+00:00", "Z"),
        "payload": given.payload,
    }


def _failed(event: ReceivedEvent, who: str, error: Exception) -> str | None:
    """Note why it went wrong; what the error says itself may be the sender's, and is not kept."""
    if isinstance(error, ApiError):
        message, is_final = f"{who}: {error.message}", error.status < 500
    elif isinstance(error, LookupError) and receiver_named(who) is None and who != "publishing":
        message, is_final = f"{who}: There is no such receiver here.", False
    else:
        message, is_final = f"{who}: {type(error).__name__}", False
        log.error("an event was not handed on", exc_info=error)
    wait_s = None if is_final else delay_s(event.attempts)
    try:
        return _put_off(event, message, wait_s)
    except _Lost:
        return None


def _put_off(event: ReceivedEvent, message: str, wait_s: float | None) -> str:
    """Try again later, or give up."""
    state = State.FAILED if wait_s is None else State.WAITING
    next_at: datetime | None = None
    if wait_s is not None:
        next_at = timezone.now() + timedelta(seconds=wait_s)
    _write(event, state=state, next_at=next_at, error=message[:500])
    return state


def _write(event: ReceivedEvent, **values: Any) -> None:
    """Write to the event as long as it is ours.

    Raises:
        _Lost: It is not, any more.
    """
    ours = ReceivedEvent.objects.filter(
        pk=event.pk, run=event.run, attempts=event.attempts, state=State.WAITING
    )
    if not ours.update(**values):
        raise _Lost
