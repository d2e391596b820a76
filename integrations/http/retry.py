"""When to try again. Pure: the clock and the dice are handed in."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

RETRYABLE_STATUSES = frozenset({429, 500, 502, 503, 504})

_DAY_S = 86_400.0
_LONGEST_HEADER = 64
_SECONDS = re.compile(r"[0-9]+(\.[0-9]+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how soon to try again, with exponential growth and full jitter.

    Full jitter means any wait from zero to the grown delay, so that callers which failed
    together do not come back together.

    Args:
        max_retries: Tries after the first one; 0 for none.
        retry_delay_s: The longest wait before the first retry; doubles with each further one.
        max_delay_s: What the doubling stops at.

    Raises:
        ValueError: One of them is below zero.
    """

    max_retries: int = 2
    retry_delay_s: float = 0.5
    max_delay_s: float = 30.0

    def __post_init__(self) -> None:
        if min(self.max_retries, self.retry_delay_s, self.max_delay_s) < 0:
            raise ValueError("Retries and delays cannot be below zero.")

    def wait_s(
        self,
        retry: int,
        *,
        left_s: float,
        retry_after_s: float | None = None,
        dice: Callable[[], float] = random.random,
    ) -> float | None:
        """Give the seconds to wait before a retry, or None to stop trying.

        Args:
            retry: Which one: 1 for the first.
            left_s: What the deadline over all tries has left.
            retry_after_s: What the other side asked for; never undercut.
            dice: Gives a number from 0 to 1.
        """
        if retry > self.max_retries:
            return None
        # Beyond 2**32 the cap holds anyway, and a float would overflow in the end.
        grown_s = min(self.max_delay_s, self.retry_delay_s * 2.0 ** min(retry - 1, 32))
        wait_s = max(dice() * grown_s, retry_after_s or 0.0)
        return wait_s if wait_s < left_s else None


def retry_after_s(
    header_value: str | None, now: datetime, *, most_s: float = _DAY_S
) -> float | None:
    """Read a Retry-After header (RFC 9110, 10.2.3), in seconds or as a date.

    Args:
        header_value: As it came; None if there was none.
        now: With a time zone.
        most_s: What longer waits are cut to.

    Returns:
        Seconds from 0 (also for a date that has passed) to `most_s`; None if it says nothing.
    """
    text = (header_value or "").strip()
    if not text or len(text) > _LONGEST_HEADER:
        return None
    if _SECONDS.fullmatch(text):
        return min(float(text), most_s)
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return min(max((until - now).total_seconds(), 0.0), most_s)
