"""The secrets of an endpoint or source: the present one, and those it replaced a while ago."""

from datetime import datetime, timedelta
from typing import Any

import orjson

from authz.secrets.fields import Secret
from authz.secrets.keyring import SecretUnreadable
from integrations.models import InboundSource, WebhookEndpoint
from intmod_site.api.errors import Conflict, ValidationFailed

OVERLAP_S = 24 * 3600
LONGEST_OVERLAP_S = 7 * 24 * 3600

Holder = WebhookEndpoint | InboundSource
Replaced = list[tuple[str, datetime]]
"""Secrets that were replaced, and until when they count."""


def present_secret(holder: Holder) -> str:
    """Give the present secret.

    Raises:
        SecretUnreadable: It does not decrypt.
    """
    stored: Any = holder.secret
    return str(stored.reveal())


def replaced_secrets(holder: Holder) -> Replaced:
    """Give the replaced ones, those that count no more included.

    Raises:
        SecretUnreadable: They do not decrypt.
    """
    stored: Secret | None = holder.old_secrets  # type: ignore[assignment]  # its descriptor's
    if stored is None:
        return []
    return [(text, datetime.fromisoformat(until)) for text, until in orjson.loads(stored.reveal())]


def counting_secrets(holder: Holder, now: datetime) -> Replaced:
    """Give the replaced ones that still count.

    Raises:
        SecretUnreadable: They do not decrypt.
    """
    return [(text, until) for text, until in replaced_secrets(holder) if until > now]


def replaced_by(
    holder: Holder, fresh: str, *, overlap_s: int, now: datetime, most: int
) -> Replaced:
    """Give the secrets that count beside a fresh one: the present one for a while, and older ones.

    Args:
        holder: Whose; locked.
        fresh: The new secret.
        overlap_s: How long the present one still counts, in seconds; 0 revokes it and all that
            it replaced at once.
        now: When it is replaced.
        most: How many may count beside the present one before.

    Raises:
        ValidationFailed: The overlap is too long, or the secret is the present one.
        Conflict: Too many count already, or they cannot be read any more.
    """
    if not 0 <= overlap_s <= LONGEST_OVERLAP_S:
        raise ValidationFailed.of("overlap_s", f"From 0 to {LONGEST_OVERLAP_S} seconds.")
    if not overlap_s:
        return []
    try:
        present = present_secret(holder)
        counting = counting_secrets(holder, now)
    except SecretUnreadable:
        raise Conflict(
            "The present secret does not decrypt; replace it with overlap_s 0.",
            code="secret_unreadable",
        ) from None
    if fresh == present:
        raise ValidationFailed.of("secret", "This is the present one.")
    if len(counting) >= most:
        raise Conflict(f"{most} replaced secrets count already; revoke them with overlap_s 0.")
    older = ((text, end) for text, end in counting if text != fresh)
    return [(present, now + timedelta(seconds=overlap_s)), *older]


def written(replaced: Replaced) -> str | None:
    """Give replaced secrets as they are stored, encrypted in one column."""
    if not replaced:
        return None
    return orjson.dumps([(text, until.isoformat()) for text, until in replaced]).decode()
