"""Taking an event: verified, judged, kept once; in this order, and only then acknowledged."""

import hashlib
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from authz.configuration.snapshot import Snapshot
from authz.ids import new_id
from authz.policies.enforcement import enforce
from authz.policies.engine import PolicyRequest
from integrations.models import ReceivedEvent
from integrations.webhooks.inbound.schemes.scheme import Proven, Received, Terms
from integrations.webhooks.inbound.sender import Sender
from intmod_site.api.errors import NotFound
from intmod_site.api.strict_json import parse_json
from intmod_site.request_context import current_request_id

State = ReceivedEvent.State

BASE, ROUTE = "/api/v1", "/integration/webhook/inbound"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of an event.

    Args:
        event: The row.
        is_new: False where it was kept before.
    """

    event: ReceivedEvent
    is_new: bool


def receive(
    *,
    sender: Sender,
    received: Received,
    address: str | None = None,
    snapshot: Snapshot | None = None,
) -> Receipt:
    """Take an event, if it is signed by the source and its policies allow it.

    What is kept is committed when this returns. The same event again is taken again and kept once.

    Args:
        sender: Who is said to send it.
        received: What came.
        address: Whence.
        snapshot: The configuration that the sender was found in.

    Raises:
        SignatureRefused: It proves nothing.
        MalformedRequest: The body is no JSON.
        PolicyDenied: A policy forbids it; that is recorded, and nothing else is.
        NotFound: The source was removed meanwhile.
    """
    now = timezone.now()
    terms = Terms(sender.secrets(now), sender.settings, now.timestamp(), sender.tolerance_s)
    proven = sender.scheme.verify(received, terms)
    payload = parse_json(received.body, limit_bytes=sender.body_limit_bytes)
    named = sender.scheme.named(received, payload, sender.settings)
    decision = enforce(
        actor=sender.actor(address),
        project=sender.project,
        target=sender.target(),
        request=PolicyRequest(
            data=payload, method="POST", path=path_of(sender.source_id), source=address, at=now
        ),
        snapshot=snapshot,
    )
    return _kept_once(
        ReceivedEvent(
            id=new_id(),
            project=sender.project,
            source_id=sender.source_id,
            event_id=named.event_id or _hash(proven),
            event_type=named.event_type,
            received_at=now,
            sent_at=proven.sent_at,
            address=address,
            request_id=current_request_id() or "",
            content_type=_shown(received.headers.get("content-type", "")),
            user_agent=_shown(received.headers.get("user-agent", "")),
            body=received.body.decode(),
            policies=list(decision.policies),
            state=State.WAITING if sender.hands_on else State.KEPT,
            next_at=now if sender.hands_on else None,
        )
    )


def address_of(source_id: UUID) -> str:
    """Give the path that a source's sender posts to."""
    return BASE + path_of(source_id)


def path_of(source_id: UUID) -> str:
    """Give the path as policies judge it."""
    return f"{ROUTE}/{source_id}"


def _kept_once(event: ReceivedEvent) -> Receipt:
    try:
        with transaction.atomic():
            event.save(force_insert=True)
    except IntegrityError:
        before = ReceivedEvent.objects.filter(
            source_id=event.source_id, event_id=event.event_id
        ).first()
        if before is None:
            raise NotFound("There is no such inbound source any more.") from None
        return Receipt(before, is_new=False)
    return Receipt(event, is_new=True)


def _hash(proven: Proven) -> str:
    return "sha256:" + hashlib.sha256(proven.content).hexdigest()


def _shown(text: str) -> str:
    """Give a header as it may be kept: printable, and not endless."""
    return "".join(c if c.isprintable() else "?" for c in text[:200])
