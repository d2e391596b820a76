"""Amounts that are held while something runs and settled when it ended, one statement each.

A budget holds an estimate and settles the cost; a limit of parallel calls holds one and settles
nothing. A hold whose process died counts no more once it expired.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from authz.ids import new_id

SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Hold:
    """A part of an amount that is taken for now."""

    key: str
    id: str
    amount: int


def hold(
    *,
    key: str,
    amount: int,
    limit: int,
    expires_s: float,
    clock: Callable[[], float] = time.time,
) -> Hold | None:
    """Hold an amount, if what is settled and held leaves so much of the limit.

    Args:
        key: Whose amount; at most 200 characters.
        amount: How much, from 0.
        limit: Of all that is settled and held.
        expires_s: Seconds after which the hold counts no more.
        clock: Seconds since the epoch, the same for all processes.

    Returns:
        The hold, to be settled; None if there is not so much.
    """
    if amount > limit:
        return None
    now_us = round(clock() * SECOND_US)
    held = Hold(key, new_id().hex, amount)
    entry: list[Any] = [held.id, now_us + round(expires_s * SECOND_US), amount]
    sql = _HOLD[connection.vendor]
    with connection.cursor() as cursor:
        cursor.execute(sql, [key, *entry, now_us, now_us, now_us, amount, limit])
        return held if cursor.fetchone() is not None else None


def settle(*, held: Hold, amount: int, clock: Callable[[], float] = time.time) -> None:
    """End a hold; `amount` of it, or more, stays taken for good."""
    now_us = round(clock() * SECOND_US)
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE[connection.vendor], [amount, now_us, held.id, now_us, held.key])


def taken(*, key: str, clock: Callable[[], float] = time.time) -> tuple[int, int]:
    """Give what is settled and what is held now."""
    with connection.cursor() as cursor:
        cursor.execute(_TAKEN[connection.vendor], [round(clock() * SECOND_US), key])
        settled, held = cursor.fetchone() or (0, 0)
        return int(settled), int(held)


def forget_old(*, older_than_s: float, clock: Callable[[], float] = time.time) -> int:
    """Remove accounts that nothing changed for long, such as budgets of past days."""
    before_us = round((clock() - older_than_s) * SECOND_US)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM authz_holdaccount WHERE changed_us < %s", [before_us])
        return int(cursor.rowcount)


_LIVE = {
    "sqlite": (
        "FROM json_each(authz_holdaccount.holds) AS h WHERE json_extract(h.value, '$[1]') > %s"
    ),
    "postgresql": (
        "FROM jsonb_array_elements(authz_holdaccount.holds) AS h WHERE (h->>1)::bigint > %s"
    ),
}
_AMOUNT = {"sqlite": "json_extract(h.value, '$[2]')", "postgresql": "(h->>2)::bigint"}
_ID = {"sqlite": "json_extract(h.value, '$[0]')", "postgresql": "h->>0"}
_LIST = {
    "sqlite": "json_group_array(json(h.value))",
    "postgresql": "COALESCE(jsonb_agg(h), '[]'::jsonb)",
}
_NEW = {
    "sqlite": "json_array(json_array(%s, %s, %s))",
    "postgresql": "jsonb_build_array(jsonb_build_array(%s::text, %s::bigint, %s::bigint))",
}
# Behind the ones that live still stands the new one.
_WITH_NEW = {
    "sqlite": "json_insert({live}, '$[#]', json_extract(excluded.holds, '$[0]'))",
    "postgresql": "{live} || excluded.holds",
}

_HOLD, _SETTLE, _TAKEN = {}, {}, {}
for _vendor in ("sqlite", "postgresql"):
    _live_list = f"(SELECT {_LIST[_vendor]} {_LIVE[_vendor]})"
    _live_sum = f"(SELECT COALESCE(SUM({_AMOUNT[_vendor]}), 0) {_LIVE[_vendor]})"
    _HOLD[_vendor] = f"""
INSERT INTO authz_holdaccount (key, settled, holds, changed_us)
VALUES (%s, 0, {_NEW[_vendor]}, %s)
ON CONFLICT (key) DO UPDATE
SET holds = {_WITH_NEW[_vendor].format(live=_live_list)}, changed_us = excluded.changed_us
WHERE authz_holdaccount.settled + {_live_sum} + %s <= %s
RETURNING settled
"""  # noqa: S608 -- our own parts
    _others = _LIVE[_vendor].replace("WHERE", f"WHERE {_ID[_vendor]} <> %s AND")
    _SETTLE[_vendor] = f"""
UPDATE authz_holdaccount
SET settled = settled + %s, changed_us = %s,
    holds = (SELECT {_LIST[_vendor]} {_others})
WHERE key = %s
"""  # noqa: S608 -- our own parts
    _TAKEN[_vendor] = f"SELECT settled, {_live_sum} FROM authz_holdaccount WHERE key = %s"  # noqa: S608
