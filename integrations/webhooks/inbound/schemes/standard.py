"""Standard Webhooks 1.0.0: `v1` (HMAC-SHA256) and `v1a` (ed25519) over id, moment and raw body.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from integrations.connections.auth.scheme import check_settings
from integrations.webhooks.inbound.schemes.scheme import (
    MOST_SIGNATURES,
    Named,
    Proven,
    Received,
    SignatureRefused,
    Terms,
    any_matches,
    as_event_type,
    header,
    member,
    moment,
)
from intmod_site.api.errors import ValidationFailed

SHARED, PUBLIC = "whsec_", "whpk_"
SHORTEST_KEY_BYTES, LONGEST_KEY_BYTES = 8, 256
PUBLIC_KEY_BYTES = 32
_ID = re.compile(r"[\x21-\x2d\x2f-\x7e]{1,255}")  # a dot would end it in what is signed


class StandardWebhooks:
    """`webhook-id`, `webhook-timestamp` and `webhook-signature`; a secret or a public key."""

    name = "standard"

    def check(self, settings: Mapping[str, Any]) -> None:
        """Take none."""
        check_settings(settings, {}, field="settings")

    def check_secret(self, secret: str) -> None:
        """Take `whsec_` and base64, or the sender's public key, `whpk_` and base64."""
        key = _decoded(secret.removeprefix(PUBLIC).removeprefix(SHARED))
        if secret.startswith(PUBLIC):
            if key is None or len(key) != PUBLIC_KEY_BYTES:
                raise ValidationFailed.of("secret", "whpk_ and base64 of 32 bytes.")
        elif key is None or not SHORTEST_KEY_BYTES <= len(key) <= LONGEST_KEY_BYTES:
            raise ValidationFailed.of(
                "secret",
                f"whsec_ and base64 of {SHORTEST_KEY_BYTES} to {LONGEST_KEY_BYTES} bytes.",
            )

    def new_secret(self) -> str:
        """Make one of 32 random bytes."""
        return SHARED + base64.b64encode(secrets.token_bytes(32)).decode()

    def verify(self, received: Received, terms: Terms) -> Proven:
        """Take the request if one signature is of one of the secrets, and was made just now."""
        event_id = header(received, "webhook-id")
        timestamp = header(received, "webhook-timestamp")
        signatures = header(received, "webhook-signature").split(" ")[:MOST_SIGNATURES]
        if not _ID.fullmatch(event_id) or not timestamp.isascii():
            raise SignatureRefused("The webhook-id has characters that no id has.")
        content = b"%s.%s.%s" % (event_id.encode(), timestamp.encode(), received.body)
        shared = [_decoded(s.removeprefix(SHARED)) for s in terms.secrets if s[:5] != PUBLIC]
        public = [_decoded(s.removeprefix(PUBLIC)) for s in terms.secrets if s[:5] == PUBLIC]
        if not any(_signed_by(key, _of(signatures, "v1a"), content) for key in public if key):
            any_matches(_of(signatures, "v1"), [key for key in shared if key], content)
        return Proven(content, moment(timestamp, terms))

    def named(self, received: Received, payload: Any, settings: Mapping[str, Any]) -> Named:
        """Give the id of the header, and the type that the body tells."""
        told = member(payload, "type") or member(payload, "event_type")
        return Named(received.headers["webhook-id"], as_event_type(told))


def _of(signatures: list[str], version: str) -> list[bytes]:
    """Give the signatures of one version; what is no base64 is none."""
    pairs = [signature.partition(",") for signature in signatures]
    decoded = [_decoded(text) for found, _, text in pairs if found == version]
    return [signature for signature in decoded if signature]


def _signed_by(key: bytes, signatures: list[bytes], content: bytes) -> bool:
    for signature in signatures:
        try:
            Ed25519PublicKey.from_public_bytes(key).verify(signature, content)
        except (InvalidSignature, ValueError):
            continue
        return True
    return False


def _decoded(text: str) -> bytes | None:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
