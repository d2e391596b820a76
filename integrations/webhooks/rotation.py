"""Exchanging an endpoint's secret: the old one signs along for a while, or never again."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from integrations.models import WebhookEndpoint
from integrations.webhooks.endpoints import checked_secret, locked
from integrations.webhooks.replaced_secrets import (
    OVERLAP_S,
    counting_secrets,
    present_secret,
    replaced_by,
    written,
)
from integrations.webhooks.signing import key_of, new_secret

MOST_OLD = 10


def rotate_secret(
    *,
    actor: Actor,
    endpoint: WebhookEndpoint,
    secret: str | None = None,
    overlap_s: int = OVERLAP_S,
) -> WebhookEndpoint:
    """Give the endpoint another secret.

    Args:
        actor: Who.
        endpoint: Whose.
        secret: The new one; made here unless it is given.
        overlap_s: How long the present one signs along, in seconds; 0 revokes it and all that it
            replaced at once.

    Raises:
        ValidationFailed: It is no secret, or the present one; or the overlap is too long.
        Conflict: Ten replaced ones sign along already, or they cannot be read any more.
    """
    fresh = checked_secret(secret or new_secret())
    now = timezone.now()
    with transaction.atomic():
        current = locked(endpoint)
        before = state_of(current)
        old = replaced_by(current, fresh, overlap_s=overlap_s, now=now, most=MOST_OLD)
        current.secret = fresh
        current.old_secrets = written(old)  # type: ignore[assignment]  # its descriptor's
        current.save(update_fields=["secret", "old_secrets", "updated_at"])
        record_change(
            actor=actor,
            action="webhookendpoint.rotate_secret",
            obj=current,
            project=current.project,
            before=before,
            after=state_of(current) | {"overlap_s": overlap_s},
        )
    return current


def signing_keys(endpoint: WebhookEndpoint, now: datetime) -> list[bytes]:
    """Give the keys that sign now, the present one first.

    Raises:
        SecretUnreadable: One does not decrypt.
    """
    texts = [present_secret(endpoint), *(text for text, _ in counting_secrets(endpoint, now))]
    return [key_of(text) for text in texts]
