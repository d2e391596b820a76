"""Something that the outside world told us, and more of it."""

from typing import Any

from django.utils import timezone

from authz.audit.actor import Actor
from authz.models import Project
from integrations.models import InboundSource, ReceivedEvent
from integrations.webhooks.inbound.sources import register_source

ACTOR = Actor(kind="system", label="tests")
HEARD_SECRET = "a-secret-of-the-sender-4711"


def hear(project: Project) -> list[Any]:
    """Hear something of a new source."""
    source, _ = register_source(
        actor=ACTOR,
        project=project,
        name="heard",
        scheme="github",
        secret=HEARD_SECRET,
        publishes_as="shop.event",
    )
    return [source, hear_more(source, 0)]


def hear_more(source: InboundSource, number: int) -> ReceivedEvent:
    """Hear something more."""
    return ReceivedEvent.objects.create(
        source=source,
        project=source.project,
        event_id=f"delivery-{source.name}-{number}-{ReceivedEvent.objects.count()}",
        event_type="push",
        received_at=timezone.now(),
        body='{"text": "<b>bold</b>"}',
        state="failed",
        error="ledger: ValueError",
    )
