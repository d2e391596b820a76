"""What an attempt came to: an answer, or the reason why there is none. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from integrations.http.errors import (
    BlockedDestination,
    InvalidRequest,
    InvalidUrl,
    OutboundError,
)
from integrations.http.retry import retry_after_s
from integrations.webhooks.schedule import LONGEST_WAIT_S
from intmod_site.redaction import redact

EXCERPT_LENGTH = 1000
GONE = 410
_OURS = (BlockedDestination, InvalidRequest, InvalidUrl)


class Verdict(StrEnum):
    """What follows from it."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    """The receiver failed: it is asked again."""
    GONE = "gone"
    """The receiver wants nothing more."""
    OURS = "ours"
    """It could not be sent, and would not be the next time either."""
    BROKEN = "broken"
    """Something on our side broke that may work the next time."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt ended.

    Args:
        verdict: What follows.
        status: HTTP status; None without an answer.
        error_code, error: Empty where it was delivered.
        retry_after_s: How long the receiver asked to be left alone, at most a day.
        excerpt: Beginning of its answer, redacted.
    """

    verdict: Verdict
    status: int | None = None
    error_code: str = ""
    error: str = ""
    retry_after_s: float | None = None
    excerpt: str = field(default="", repr=False)

    @property
    def is_error(self) -> bool:
        """Whether it was not delivered."""
        return self.verdict is not Verdict.DELIVERED

    @property
    def is_receivers(self) -> bool:
        """Whether the receiver is to blame."""
        return self.verdict in (Verdict.REFUSED, Verdict.GONE)


def of_answer(
    status: int, headers: Mapping[str, str], body: bytes | None, now: datetime
) -> Outcome:
    """Judge an answer: only 2xx has it; a redirect does not count, as nobody follows it.

    Args:
        status: HTTP status.
        headers: By name in any case.
        body: Its beginning; None where it was too long to be looked at.
        now: For a Retry-After that is a date.
    """
    excerpt = "(a long answer)" if body is None else _excerpt(body)
    if 200 <= status < 300:
        return Outcome(Verdict.DELIVERED, status, excerpt=excerpt)
    return Outcome(
        Verdict.GONE if status == GONE else Verdict.REFUSED,
        status,
        f"http_{status}",
        f"It answered {status}.",
        retry_after_s(headers.get("retry-after"), now, most_s=LONGEST_WAIT_S),
        excerpt,
    )


def of_error(error: OutboundError) -> Outcome:
    """Judge the lack of an answer."""
    verdict = Verdict.OURS if isinstance(error, _OURS) else Verdict.REFUSED
    return Outcome(verdict, None, error.code, str(error)[:500])


def of_our_own(code: str, message: str, *, again: bool = False) -> Outcome:
    """Judge what never left the house.

    Args:
        code, message: Why.
        again: Whether it may work the next time.
    """
    return Outcome(Verdict.BROKEN if again else Verdict.OURS, None, code, message[:500])


def _excerpt(body: bytes) -> str:
    # Cut only after redacting: what is cut through is not recognised any more.
    text = body[: 4 * EXCERPT_LENGTH].decode("utf-8", errors="replace").replace("\x00", "\ufffd")
    return redact(text)[:EXCERPT_LENGTH]
