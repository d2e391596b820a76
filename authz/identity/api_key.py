"""The text of an API key: `intmod_<public id>_<secret><checksum>`.

The public id finds the row, 190 random bits are the secret, and a CRC-32 lets a mistyped key be
refused without asking the database, and leaked ones be found by scanners.
"""

import hmac
import secrets
import string
import zlib
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings

PREFIX = "intmod_"
ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase
PUBLIC_LENGTH = 12
SECRET_LENGTH = 32
CHECKSUM_LENGTH = 6
TOTAL_LENGTH = len(PREFIX) + PUBLIC_LENGTH + 1 + SECRET_LENGTH + CHECKSUM_LENGTH


@dataclass(frozen=True, slots=True)
class KeyText:
    """A key's parts."""

    public_id: str
    secret: str

    def __str__(self) -> str:
        body = f"{PREFIX}{self.public_id}_{self.secret}"
        return body + _checksum(body)

    def __repr__(self) -> str:
        return f"<KeyText {self.public_id}>"


def generate() -> KeyText:
    """Make a new key."""
    return KeyText(_random(PUBLIC_LENGTH), _random(SECRET_LENGTH))


def parse(text: str) -> KeyText | None:
    """Take a key apart; None for text that `generate` cannot have made."""
    if len(text) != TOTAL_LENGTH or not text.startswith(PREFIX) or not text.isascii():
        return None
    body, checksum = text[:-CHECKSUM_LENGTH], text[-CHECKSUM_LENGTH:]
    if not hmac.compare_digest(_checksum(body), checksum):
        return None
    public_id, _, secret = body.removeprefix(PREFIX).partition("_")
    return KeyText(public_id, secret) if len(public_id) == PUBLIC_LENGTH else None


def secret_hash(key: KeyText) -> str:
    """Give what is stored: HMAC-SHA256 under the pepper, hex."""
    begun = _peppered(settings.API_KEY_PEPPER).copy()
    begun.update(key.secret.encode())
    return begun.hexdigest()


@lru_cache(maxsize=1)
def _peppered(pepper: str) -> hmac.HMAC:
    """Begin the HMAC once: its key is the same for all, and preparing it costs most of it."""
    return hmac.new(pepper.encode(), digestmod="sha256")


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(CHECKSUM_LENGTH):
        number, digit = divmod(number, len(ALPHABET))
        digits = ALPHABET[digit] + digits
    return digits
