"""Publishing: a message, and a delivery for each endpoint that wants it, in one transaction.

What calls `publish` inside its own transaction is told if and only if that commits.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
from django.db import IntegrityError, transaction
from django.utils import timezone

from authz.audit.actor import SYSTEM, Actor
from authz.ids import new_id
from authz.models import Project
from integrations.models import WebhookDelivery, WebhookEndpoint, WebhookMessage
from integrations.webhooks import names
from integrations.webhooks.catalogue import check_data
from integrations.webhooks.fan_out import deliver_to, endpoints_wanting
from intmod_site.api.errors import Conflict, PayloadTooLarge
from intmod_site.request_context import current_request_id

BODY_LIMIT_BYTES = 256 * 1024


@dataclass(frozen=True, slots=True)
class Publication:
    """What became of an event.

    Args:
        message: The message.
        deliveries: How many endpoints are to have it.
        is_new: False where the same was published before under its id.
    """

    message: WebhookMessage
    deliveries: int
    is_new: bool = True

    @property
    def message_id(self) -> str:
        """The webhook-id."""
        return self.message.message_id


def publish(
    event_type: str,
    data: dict[str, Any],
    *,
    project: Project,
    actor: Actor = SYSTEM,
    message_id: str | None = None,
    at: datetime | None = None,
    besides: WebhookEndpoint | None = None,
) -> Publication:
    """Tell every endpoint of the project that wants to know.

    Args:
        event_type: Such as `order.created`.
        data: JSON values; what the catalogue's schema of the type allows.
        project: Whose endpoints.
        actor: Who tells.
        message_id: The publisher's own id: the same one with the same content is told once.
        at: When it happened; now by default.
        besides: An endpoint that is not told.

    Raises:
        ValidationFailed: The type has no such name or is archived, or the data is not as it says.
        PayloadTooLarge: The body would be longer than 256 KiB.
        Conflict: The id was used for something else.
    """
    names.check_name(event_type)
    check_data(project, event_type, data)
    now = at or timezone.now()
    row_id = new_id()
    public_id = message_id or f"msg_{row_id.hex}"
    message = WebhookMessage(
        id=row_id,
        project=project,
        message_id=public_id,
        event_type=event_type,
        body=_body(public_id, event_type, data, now),
        content_hash=_content_hash(event_type, data),
        published_by=actor.label[:200],
        request_id=current_request_id() or "",
        created_at=now,
    )
    with transaction.atomic():
        if message_id is not None and (known := _known(message)):
            return known
        if known := _insert(message, is_named=message_id is not None):
            return known
        wanting = endpoints_wanting(project.pk, event_type, besides=besides)
        return Publication(message, deliver_to(wanting, message))


def _insert(message: WebhookMessage, *, is_named: bool) -> Publication | None:
    """Write the message; give the one that somebody else wrote under its id at this moment."""
    if not is_named:  # nobody else has an id that was made here
        message.save(force_insert=True)
        return None
    try:
        with transaction.atomic():
            message.save(force_insert=True)
    except IntegrityError:
        if known := _known(message):
            return known
        raise
    return None


def _known(message: WebhookMessage) -> Publication | None:
    """Give what was published before under the message's id."""
    before = WebhookMessage.objects.filter(
        project=message.project_id, message_id=message.message_id
    ).first()
    if before is None:
        return None
    if before.content_hash != message.content_hash:
        raise Conflict(
            f"The id {message.message_id} was used for another message.", code="already_exists"
        )
    count = WebhookDelivery.objects.filter(message=before).count()
    return Publication(before, count, is_new=False)


def _body(message_id: str, event_type: str, data: dict[str, Any], at: datetime) -> str:
    moment = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    body = _json({"id": message_id, "event_type": event_type, "timestamp": moment, "data": data})
    if len(body) > BODY_LIMIT_BYTES:
        raise PayloadTooLarge(
            f"The message would have {len(body)} bytes; at most {BODY_LIMIT_BYTES} are sent."
        )
    return body.decode()


def _content_hash(event_type: str, data: dict[str, Any]) -> str:
    return hashlib.sha256(_json([event_type, data], orjson.OPT_SORT_KEYS)).hexdigest()


def _json(value: Any, option: int = 0) -> bytes:
    try:
        return orjson.dumps(value, option=option)
    except TypeError:  # an integer beyond 64 bits, which the audit log may hold
        return json.dumps(value, sort_keys=bool(option), separators=(",", ":")).encode()
