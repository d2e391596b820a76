"""Events as the database stores them, brought into the form that their codes are made of.

By hand: through the ORM a third of the time of verifying went into making moments and ids, only to
write them out again; and a row that somebody made unreadable would stop the verification.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from functools import cache, lru_cache
from typing import Any
from uuid import UUID

from django.db import connection

from authz.audit.record import MACED, code_of, packed, whole
from authz.models import AuditEvent, AuditSeal

Row = tuple[Any, ...]

_EVENT, _SEAL = AuditEvent._meta.db_table, AuditSeal._meta.db_table
# Names of our own only.
_SEALED = (
    "SELECT s.seq, s.event_id, s.event_mac, s.chain_hash, {columns} "  # noqa: S608
    f"FROM {_SEAL} s LEFT JOIN {_EVENT} e ON e.id = s.event_id "
    "WHERE s.seq > %s AND s.seq <= %s ORDER BY s.seq LIMIT %s"
)
_UNSEALED = (
    f"SELECT {{columns}} FROM {_EVENT} e "  # noqa: S608
    f"WHERE NOT EXISTS (SELECT 1 FROM {_SEAL} s WHERE s.event_id = e.id) "
)


def sealed_rows(*, after: int, through: int, batch: int) -> Iterator[list[Row]]:
    """Give seals with their events, by sequence number.

    Args:
        after, through: Sequence numbers between which to read.
        batch: Rows at a time.

    Returns:
        Rows of `seq, event_id, event_mac, chain_hash`, and the event's `id, mac` and `MACED`; all
        None where the event is gone.
    """
    while rows := _all(_SEALED, after, through, batch):
        yield rows
        after = rows[-1][0]


def unsealed_rows(*, batch: int, last: int | None = None) -> Iterator[list[Row]]:
    """Give events that are not sealed as `id, mac` and `MACED`; all, or the newest few."""
    if last is not None:
        yield _all(_UNSEALED + "ORDER BY e.id DESC LIMIT %s", last)
        return
    after = -(2**63)
    while rows := _all(_UNSEALED + "AND e.id > %s ORDER BY e.id LIMIT %s", after, batch):
        yield rows
        after = rows[-1][0]


def is_genuine(mac: str, values: Row) -> bool:
    """Whether the code is that of the values, as they are stored."""
    try:
        return code_of(_canonical(values)) == mac
    except (TypeError, ValueError, ArithmeticError, AttributeError, RecursionError):
        return False  # what was never written: it has no canonical form


def _all(statement: str, *parameters: Any) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(statement.format(columns=_columns(connection.vendor)), parameters)
        return list(cursor.fetchall())


@cache
def _columns(vendor: str) -> str:
    names = [f"e.{name}" for name in ("id", "mac", *MACED)]
    if vendor == "sqlite":
        # The plain text: SQLite's driver would read a column of moments, and stop at a wrong one.
        place = names.index("e.occurred_at")
        names[place] = "CAST(e.occurred_at AS text)"
    return ", ".join(names)


def _canonical(values: Row) -> dict[str, Any]:
    content = dict(zip(MACED, values, strict=True))
    moment, project, address = content["occurred_at"], content["project_id"], content["address"]
    # SQLite keeps text, in UTC; PostgreSQL's driver gives moments with their zone.
    content["occurred_at"] = (
        moment.isoformat()
        if isinstance(moment, datetime)
        else f"{moment.replace(' ', 'T', 1)}+00:00"
    )
    content["project_id"] = None if project is None else _dashed(project)
    content["address"] = None if address is None else packed(address)
    content["changes"] = _JSON.decode(content["changes"])
    return content


@lru_cache(maxsize=4096)
def _dashed(project: str | UUID) -> str:
    return str(project if isinstance(project, UUID) else UUID(project))


_JSON = json.JSONDecoder(parse_float=lambda text: whole(float(text)))
