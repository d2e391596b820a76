"""The secrets of a source that count now: the present one, and those it replaced a while ago."""

from datetime import datetime
from typing import Any

import orjson

from authz.secrets.fields import Secret
from integrations.models import InboundSource

Replaced = list[tuple[str, datetime]]
"""Secrets that were replaced, and until when they count."""


def present_secret(source: InboundSource) -> str:
    """Give the present secret.

    Raises:
        SecretUnreadable: It does not decrypt.
    """
    stored: Any = source.secret
    return str(stored.reveal())


def replaced_secrets(source: InboundSource) -> Replaced:
    """Give the replaced ones, those that count no more included.

    Raises:
        SecretUnreadable: They do not decrypt.
    """
    stored: Secret | None = source.old_secrets  # type: ignore[assignment]  # its descriptor's
    if stored is None:
        return []
    return [(text, datetime.fromisoformat(until)) for text, until in orjson.loads(stored.reveal())]


def written(replaced: Replaced) -> str | None:
    """Give replaced secrets as they are stored, encrypted in one column."""
    if not replaced:
        return None
    return orjson.dumps([(text, until.isoformat()) for text, until in replaced]).decode()
