"""The keys that tokens are signed with: each knows its algorithm and from when it signs.

A key of the ring is plain text (HS256, RFC 7518, 3.2) or `ed25519.` and 32 bytes in base64url
(EdDSA, RFC 8037). A token's algorithm must be that of the key its `kid` names, so no public key
is ever taken for a shared secret (RFC 8725, 3.1).

A key id like `20261124T040500Z` (a moment, in UTC) says from when the key signs: it lies in every
process before the first token is signed with it. Other ids have always counted.
"""

import base64
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from intmod_site.keys import parsed_ring

log = logging.getLogger("intmod.identity")

NAME = "JWT_SIGNING_KEYS"
HS256 = "HS256"
EDDSA = "EdDSA"
ED25519_PREFIX = "ed25519."
ED25519_BYTES = 32
MOMENT = "%Y%m%dT%H%M%SZ"


@dataclass(frozen=True, slots=True)
class SigningKey:
    """One key of the ring.

    Args:
        kid: Its id, in the header of every token that it signed.
        algorithm: The only one it signs and verifies with, HS256 or EdDSA.
        private, public: What signs and what verifies; the same bytes for HS256.
        signs_from: From when it signs; None if it always has.
    """

    kid: str
    algorithm: str
    private: bytes | Ed25519PrivateKey = field(repr=False)
    public: bytes | Ed25519PublicKey = field(repr=False)
    signs_from: datetime | None

    def signs(self, now: datetime) -> bool:
        """Whether its moment has come."""
        return self.signs_from is None or self.signs_from <= now


Ring = Mapping[str, SigningKey]
"""Keys by their ids, the newest first."""


def signing_key(ring: Ring, *, now: datetime) -> SigningKey:
    """Give the first key whose moment has come; the oldest if none has."""
    keys = list(ring.values())
    return next((key for key in keys if key.signs(now)), keys[-1])


def retired(ring: Ring, *, now: datetime) -> list[str]:
    """Give the ids of keys that no living token was signed with.

    A key stops signing when the next one begins; the longest-lived token of that moment is gone
    when the longest life, and the leeway, have passed since.
    """
    longest_s = max(settings.REFRESH_TOKEN_LIFETIME_S, settings.ACCESS_TOKEN_MAX_LIFETIME_S)
    gone = now - timedelta(seconds=longest_s + settings.TOKEN_LEEWAY_S)
    keys = list(ring.values())
    for number, key in enumerate(keys):
        if key.signs_from is not None and key.signs_from <= gone:
            return [older.kid for older in keys[number + 1 :]]
    return []


@lru_cache(maxsize=16)
def ring_of(pairs: tuple[tuple[str, str], ...]) -> Ring:
    """Give the ring of ids and texts.

    Raises:
        ImproperlyConfigured: There is no key, or one is neither text nor an Ed25519 key.
    """
    if not pairs:
        raise ImproperlyConfigured(f"{NAME} has no key.")
    return {kid: _key(kid, text) for kid, text in pairs}


def current_ring() -> Ring:
    """Give the ring as it is now: a file is read again when it has changed.

    So keys rotate in every process without a restart. A file that is away or broken changes
    nothing: the ring before it counts on.
    """
    file = settings.JWT_SIGNING_KEYS_FILE
    configured = ring_of(tuple(settings.JWT_SIGNING_KEYS.items()))
    return configured if file is None else _file_ring(file, configured)


_read: dict[Path, tuple[tuple[int, int, int] | None, Ring]] = {}


def _file_ring(file: Path, configured: Ring) -> Ring:
    try:
        found = file.stat()
        stamp = (found.st_ctime_ns, found.st_size, found.st_ino)
    except OSError:
        return _read[file][1] if file in _read else configured
    known, ring = _read.get(file, (None, configured))
    if known == stamp:
        return ring
    try:
        text = file.read_text(encoding="utf-8").strip()
        ring = ring_of(tuple(parsed_ring(NAME, text, production=settings.PRODUCTION).items()))
    except (OSError, ValueError, ImproperlyConfigured):
        # Not the exception itself: nothing of a key's text belongs into a log.
        log.error("%s_FILE changed and cannot be read; the keys before count on", NAME)  # noqa: TRY400
    _read[file] = (stamp, ring)
    return ring


def _key(kid: str, text: str) -> SigningKey:
    begins = moment_of(kid)
    if not text.startswith(ED25519_PREFIX):
        return SigningKey(kid, HS256, text.encode(), text.encode(), begins)
    encoded = text.removeprefix(ED25519_PREFIX)
    try:
        seed = base64.b64decode(encoded + "=" * (-len(encoded) % 4), altchars=b"-_", validate=True)
        private = Ed25519PrivateKey.from_private_bytes(seed)
    except ValueError:  # another alphabet, or another length
        raise ImproperlyConfigured(
            f"{NAME} ({kid}): after {ED25519_PREFIX} come {ED25519_BYTES} bytes in base64url."
        ) from None
    return SigningKey(kid, EDDSA, private, private.public_key(), begins)


def moment_of(kid: str) -> datetime | None:
    """Give the moment that an id names."""
    try:
        return datetime.strptime(kid, MOMENT).replace(tzinfo=UTC)
    except ValueError:
        return None
