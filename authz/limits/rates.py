"""Rate limits by the generic cell rate algorithm, one statement a decision.

Each limit remembers one moment: when all that was taken will have been paid for at the allowed
rate. Taking moves it on; what would move it further ahead than one period is refused. No timer, no
window whose edge lets twice the rate pass. Source: ITU-T I.371, "virtual scheduling".
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from django.db import connection, transaction

SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Rate:
    """So many units in a period, all of which may come at once.

    Args:
        limit: Units, above zero.
        period_s: Seconds.
    """

    limit: int
    period_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Taken:
    """What a decision was.

    Args:
        allowed: Whether the units were taken.
        remaining: Units that may be taken at once now.
        reset_s: Seconds until all of the limit may be taken at once.
        retry_after_s: Seconds until so many units may be taken; 0 where they were.
    """

    allowed: bool
    remaining: int
    reset_s: float
    retry_after_s: float = 0.0


def take(*, key: str, rate: Rate, units: int = 1, clock: Callable[[], float] = time.time) -> Taken:
    """Take units of a rate, if there are so many.

    Args:
        key: Whose limit; at most 200 characters.
        rate: What is allowed.
        units: How many; more than the limit count as the limit, else they could never pass.
        clock: Seconds since the epoch, the same for all processes.
    """
    now_us = round(clock() * SECOND_US)
    period_us = round(rate.period_s * SECOND_US)
    cost_us = _cost_us(min(units, rate.limit), rate)
    with connection.cursor() as cursor:
        cursor.execute(
            _TAKE.format(largest=_largest()),
            [key, now_us + cost_us, now_us, cost_us, now_us, cost_us, now_us + period_us],
        )
        row = cursor.fetchone()
        if row is not None:
            return _taken(row[0] - now_us, rate)
        cursor.execute("SELECT paid_at_us FROM authz_ratebucket WHERE key = %s", [key])
        (paid_at_us,) = cursor.fetchone() or (now_us,)
    ahead_us = max(paid_at_us - now_us, 0)
    state = _taken(ahead_us, rate)
    wait_us = max(ahead_us + cost_us - period_us, 1)
    return Taken(False, state.remaining, state.reset_s, wait_us / SECOND_US)


def correct(*, key: str, rate: Rate, units: int, clock: Callable[[], float] = time.time) -> None:
    """Take more units than was known, or give some back (below zero), whatever the limit.

    Args:
        key, rate, clock: As of the taking.
        units: The difference.
    """
    if units:
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE authz_ratebucket SET paid_at_us = {_largest()}(paid_at_us + %s, %s) "  # noqa: S608 -- a function's name
                "WHERE key = %s",
                [_cost_us(units, rate), round(clock() * SECOND_US) - 1, key],
            )


def forget_paid(*, clock: Callable[[], float] = time.time) -> int:
    """Remove the limits of which nothing is taken any more; gives their number."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM authz_ratebucket WHERE paid_at_us < %s", [round(clock() * SECOND_US)]
        )
        return int(cursor.rowcount)


_TAKE = """
INSERT INTO authz_ratebucket (key, paid_at_us) VALUES (%s, %s)
ON CONFLICT (key) DO UPDATE
SET paid_at_us = {largest}(authz_ratebucket.paid_at_us, %s) + %s
WHERE {largest}(authz_ratebucket.paid_at_us, %s) + %s <= %s
RETURNING paid_at_us
"""


def _largest() -> str:
    return "MAX" if connection.vendor == "sqlite" else "GREATEST"


def _cost_us(units: int, rate: Rate) -> int:
    return round(units * rate.period_s * SECOND_US / rate.limit)


def _taken(ahead_us: int, rate: Rate) -> Taken:
    left_us = rate.period_s * SECOND_US - ahead_us
    remaining = int(left_us * rate.limit / (rate.period_s * SECOND_US) + 1e-6)
    return Taken(True, max(remaining, 0), max(ahead_us, 0) / SECOND_US)
