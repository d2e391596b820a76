"""The secrets of an endpoint or source: the present one, and those it replaced a while ago."""

from datetime import datetime
from typing import Any

import orjson

from authz.secrets.fields import Secret
from integrations.models import InboundSource, WebhookEndpoint

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


def written(replaced: Replaced) -> str | None:
    """Give replaced secrets as they are stored, encrypted in one column."""
    if not replaced:
        return None
    return orjson.dumps([(text, until.isoformat()) for text, until in replaced]).decode()
