"""Handing on once more what was received before."""

from django.db import transaction
from django.utils import timezone

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from integrations.models import ReceivedEvent
from intmod_site.api.errors import Conflict, NotFound

State = ReceivedEvent.State


def replay(*, actor: Actor, event: ReceivedEvent) -> ReceivedEvent:
    """Hand an event on once more, to all who listen to its source now.

    Args:
        actor: Who wants it.
        event: Which; as it was kept.

    Raises:
        Conflict: It waits to be handed on already, or nobody listens.
        NotFound: It was removed meanwhile.
    """
    with transaction.atomic():
        rows = ReceivedEvent.objects.select_for_update(of=("self",), no_key=True)
        current: ReceivedEvent | None = (
            rows.select_related("source", "project").filter(pk=event.pk).first()
        )
        if current is None:
            raise NotFound("There is no such event any more.")
        if current.state == State.WAITING:
            raise Conflict("It waits to be handed on already.")
        if not current.source.hands_on:
            raise Conflict(f"Nobody listens to {current.source.name}.", code="nobody_listens")
        before = state_of(current)
        current.state, current.next_at = State.WAITING, timezone.now()
        current.run, current.attempts = current.run + 1, 0
        current.handled_by, current.handled_at = [], None
        current.message_id = current.error = ""
        current.save()
        record_change(
            actor=actor,
            action="receivedevent.replay",
            obj=current,
            project=current.project,
            before=before,
            after=state_of(current),
        )
    return current
