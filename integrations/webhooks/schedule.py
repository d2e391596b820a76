"""When a delivery is tried again. Pure.

The schedule is the one that Standard Webhooks recommends: ten attempts over a little more than
three days. https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import random
from collections.abc import Callable

MINUTE_S, HOUR_S = 60.0, 3600.0
DELAYS_S = (
    0.0, 5.0, 5 * MINUTE_S, 30 * MINUTE_S, 2 * HOUR_S, 5 * HOUR_S, 10 * HOUR_S, 14 * HOUR_S,
    20 * HOUR_S, 24 * HOUR_S,
)  # fmt: skip
"""Before each attempt, counted from the one before."""

JITTER = 0.2
"""Share by which each delay is longer or shorter: those who failed together come back apart."""

LONGEST_WAIT_S = 24 * HOUR_S
"""However long a receiver asks to be left alone."""


def delay_s(
    step: int,
    *,
    retry_after_s: float | None = None,
    dice: Callable[[], float] = random.random,
) -> float | None:
    """Give the seconds until an attempt, or None if there is none any more.

    Args:
        step: Which one: 0 for the first, 9 for the last.
        retry_after_s: What the receiver asked for; never undercut, cut to a day.
        dice: Gives a number from 0 to 1.
    """
    if step >= len(DELAYS_S):
        return None
    wait_s = DELAYS_S[step] * (1 + JITTER * (2 * dice() - 1))
    return max(wait_s, min(retry_after_s or 0.0, LONGEST_WAIT_S))
