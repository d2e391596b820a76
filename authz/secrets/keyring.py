"""Encryption of stored secrets under a ring of keys: the first encrypts, all decrypt.

AES-256-GCM (NIST SP 800-38D) with the place of the secret as associated data: a ciphertext that
is copied to another row or column does not decrypt there.
"""

import base64
import hashlib
import hmac
import os
from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

from intmod_site.api.errors import ServiceUnavailable

VERSION = "v1"
NONCE_BYTES = 12


class SecretUnreadable(ServiceUnavailable):
    """A stored secret does not decrypt: its key is gone, or it was moved or changed."""

    code = "secret_unreadable"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a secret is stored; it decrypts nowhere else."""

    table: str
    row: str
    field: str

    @property
    def associated_data(self) -> bytes:
        """The place as bytes; none of its parts contains the separator."""
        return f"{self.table}\x1f{self.row}\x1f{self.field}".encode()


def encrypt(plaintext: str, place: Place) -> str:
    """Give the ciphertext as `v1:kid:base64`, bound to its place."""
    key = next(iter(settings.FIELD_ENCRYPTION_KEYS.values()))
    nonce = os.urandom(NONCE_BYTES)
    sealed = _cipher(key).encrypt(nonce, plaintext.encode(), place.associated_data)
    return current_prefix() + base64.b64encode(nonce + sealed).decode()


def decrypt(ciphertext: str, place: Place) -> str:
    """Give the plaintext.

    Raises:
        SecretUnreadable: The key is not in the ring, or the text was not encrypted for this place.
    """
    version, _, rest = ciphertext.partition(":")
    kid, _, encoded = rest.partition(":")
    key = settings.FIELD_ENCRYPTION_KEYS.get(kid)
    if version != VERSION or key is None:
        raise SecretUnreadable("A stored secret cannot be read: its encryption key is gone.")
    try:
        raw = base64.b64decode(encoded, validate=True)
        plain = _cipher(key).decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], place.associated_data)
    except (InvalidTag, ValueError) as error:
        raise SecretUnreadable(
            "A stored secret was moved or changed since it was stored."
        ) from error
    return plain.decode()


def current_prefix() -> str:
    """Give how every ciphertext begins that the first key of the ring made."""
    return f"{VERSION}:{next(iter(settings.FIELD_ENCRYPTION_KEYS))}:"


def fingerprint(text: str) -> str:
    """Give a keyed hash by which equal secrets can be recognised, and nothing else learnt."""
    return hmac.new(settings.AUDIT_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()[:16]


@lru_cache(maxsize=32)
def _cipher(key: str) -> AESGCM:
    # The ring holds text of any length; the cipher takes 32 bytes.
    return AESGCM(hashlib.sha256(b"intmod field encryption\x00" + key.encode()).digest())
