"""What a way of signing webhooks is to those who receive them. Pure: no database, no clock.

An adapter is one file beside this one, one line in `SCHEMES` and one file of tests.
"""

import hmac
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, Protocol

from intmod_site.api.errors import ApiError, ValidationFailed

MOST_SIGNATURES = 20
"""Signatures of one request that are looked at: each costs a hash of the body."""

SHORTEST_SECRET = 8
SECRET = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,510}[\x21-\x7e])?")
_SECONDS = re.compile(r"[0-9]{1,11}")
_EVENT_ID = re.compile(r"[\x21-\x7e]{1,255}")
_EVENT_TYPE = re.compile(r"[\x21-\x7e]{1,200}")


class SignatureRefused(ApiError):
    """The request does not prove who sent it, or not that it was sent just now."""

    code: ClassVar[str] = "signature_invalid"
    status: ClassVar[int] = 401


@dataclass(frozen=True, slots=True)
class Received:
    """A request as it came, before anything of it is read.

    Args:
        headers: By lower-case name.
        body: The raw bytes.
    """

    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Terms:
    """What a request is verified by.

    Args:
        secrets: Those that count, the present one first.
        settings: What the scheme needs besides, as `check` let it pass.
        now_s: Seconds since the epoch.
        tolerance_s: How far the sender's clock may be from ours, either way.
    """

    secrets: Sequence[str] = field(repr=False)
    settings: Mapping[str, Any]
    now_s: float
    tolerance_s: int


@dataclass(frozen=True, slots=True)
class Proven:
    """What a signature proved.

    Args:
        content: The bytes that were signed; who has no better id for the event has their hash.
        sent_at: When it was signed, where that was signed too.
    """

    content: bytes = field(repr=False)
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """What the sender calls an event; empty where it does not say."""

    event_id: str = ""
    event_type: str = ""


class SignatureScheme(Protocol):
    """Verifies who sent a webhook, and reads what the sender calls it."""

    name: str

    def check(self, settings: Mapping[str, Any]) -> None:
        """Let settings pass.

        Raises:
            ValidationFailed: One is missing, unknown or odd.
        """
        ...

    def check_secret(self, secret: str) -> None:
        """Let a secret pass.

        Raises:
            ValidationFailed: Nothing is signed with such a one.
        """
        ...

    def new_secret(self) -> str | None:
        """Make a secret to give to the sender; None where the sender makes it."""
        ...

    def verify(self, received: Received, terms: Terms) -> Proven:
        """Give what the signature proves.

        Raises:
            SignatureRefused: Nothing.
        """
        ...

    def named(self, received: Received, payload: Any, settings: Mapping[str, Any]) -> Named:
        """Give what the sender calls the event, of a request that was verified."""
        ...


def header(received: Received, name: str) -> str:
    """Give a header that must be there.

    Raises:
        SignatureRefused: It is not.
    """
    value = received.headers.get(name.lower(), "")
    if not value:
        raise SignatureRefused(f"The header {name} is missing.", code="signature_missing")
    return value


def moment(text: str, terms: Terms) -> datetime:
    """Read a timestamp in whole seconds, which must be near.

    Raises:
        SignatureRefused: It is none, or further away than tolerated.
    """
    if not _SECONDS.fullmatch(text):
        raise SignatureRefused("The timestamp is not a number of seconds.")
    if abs(terms.now_s - int(text)) > terms.tolerance_s:
        raise SignatureRefused(
            f"The timestamp is more than {terms.tolerance_s} seconds from our clock.",
            code="timestamp_out_of_tolerance",
        )
    return datetime.fromtimestamp(int(text), UTC)


def any_matches(
    given: Iterable[bytes], keys: Iterable[bytes], content: bytes, algorithm: str = "sha256"
) -> None:
    """Let the request pass if one of its signatures was made with one of the keys.

    Raises:
        SignatureRefused: None was.
    """
    expected = [hmac.digest(key, content, algorithm) for key in keys]
    # All are compared, and each in constant time: how long it takes tells nothing.
    if not sum(hmac.compare_digest(one, other) for one in given for other in expected):
        raise no_match()


def no_match() -> SignatureRefused:
    """Give the refusal of a request that nobody who knows a secret has signed."""
    return SignatureRefused("No signature was made with a secret of this source.")


def check_plain_secret(secret: str) -> None:
    """Refuse a secret that is too short, or no printable text.

    Raises:
        ValidationFailed: It is.
    """
    if len(secret) < SHORTEST_SECRET or not SECRET.fullmatch(secret):
        raise ValidationFailed.of(
            "secret", f"Printable ASCII of {SHORTEST_SECRET} to 512 characters."
        )


def as_event_id(value: Any) -> str:
    """Give an event's id if it can be one, else nothing."""
    return value if isinstance(value, str) and _EVENT_ID.fullmatch(value) else ""


def as_event_type(value: Any) -> str:
    """Give an event's type if it can be one, else nothing."""
    return value if isinstance(value, str) and _EVENT_TYPE.fullmatch(value) else ""


def member(payload: Any, name: str) -> Any:
    """Give a member of a JSON object, None of anything else."""
    return payload.get(name) if isinstance(payload, dict) else None
