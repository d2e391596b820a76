"""Signatures as Standard Webhooks 1.0.0 has them: HMAC-SHA256 over id, moment and raw body. Pure.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hmac
import secrets
from collections.abc import Iterable

PREFIX = "whsec_"
FEWEST_BYTES, MOST_BYTES = 24, 64
GENERATED_BYTES = 32


def new_secret() -> str:
    """Make a secret: `whsec_` and base64 of 32 random bytes."""
    return PREFIX + base64.b64encode(secrets.token_bytes(GENERATED_BYTES)).decode()


def key_of(secret: str) -> bytes:
    """Give the bytes that a secret stands for.

    Raises:
        ValueError: It is not `whsec_` and base64 of 24 to 64 bytes.
    """
    if not secret.startswith(PREFIX):
        raise ValueError("A secret begins with whsec_.")
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("A secret is whsec_ and base64.") from None
    if not FEWEST_BYTES <= len(key) <= MOST_BYTES:
        raise ValueError(f"A secret has {FEWEST_BYTES} to {MOST_BYTES} bytes.")
    return key


def signed_headers(
    *, message_id: str, timestamp_s: int, body: bytes, keys: Iterable[bytes]
) -> dict[str, str]:
    """Give the headers that prove a message.

    Args:
        message_id: The same on every attempt; without a dot.
        timestamp_s: When this attempt is made, in seconds of the epoch.
        body: As it is sent.
        keys: The present one first; then those it replaced, while they still count.
    """
    content = b"%s.%d.%s" % (message_id.encode(), timestamp_s, body)
    signatures = (base64.b64encode(hmac.digest(key, content, "sha256")).decode() for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp_s),
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
