"""Recording the usual case, an attempt that delivered, in as few statements as there can be.

Written by hand: nearly every delivery ends here, and the ORM would take longer than sending it.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from integrations.models import DeliveryAttempt
from intmod_site.database import adapted


def record_delivered(*, delivery_id: UUID, run: int, now: datetime, row: dict[str, Any]) -> bool:
    """Record an attempt and end its delivery, if its run is the present one and it is open.

    Args:
        delivery_id, run: Which.
        now: When it ended.
        row: The attempt's columns, all but delivery and number.

    Returns:
        Whether it was so; if not, nothing was written.
    """
    moved = [row["status"], adapted(now), adapted(delivery_id), run]
    told = [adapted(row[name]) for name in _TOLD]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # One statement, one transaction, one way to the server and back.
            cursor.execute(_IN_ONE, [*moved, *told])
            return cursor.rowcount == 1
        with transaction.atomic():
            cursor.execute(_MOVE, moved)
            found = cursor.fetchone()
            if found is not None:
                cursor.execute(_INSERT, [*found, *told])
    return found is not None


_TOLD = (
    "endpoint_id", "started_at", "destination", "is_error", "status", "latency_ms", "error_code",
    "error", "response_excerpt",
)  # fmt: skip
_TABLE = DeliveryAttempt._meta.db_table
_MOVE = """
UPDATE integrations_webhookdelivery
SET state = 'succeeded', attempt_count = attempt_count + 1, last_status = %s,
    last_error_code = '', ended_at = %s, next_attempt_at = NULL, has_slot = FALSE
WHERE id = %s AND run = %s AND state = 'pending'
RETURNING id, attempt_count
"""
_COLUMNS = f"(delivery_id, number, {', '.join(_TOLD)})"
_PLACES = ", ".join(["%s"] * len(_TOLD))
_INSERT = f"INSERT INTO {_TABLE} {_COLUMNS} VALUES (%s, %s, {_PLACES})"  # noqa: S608 -- our own names
_IN_ONE = (
    f"WITH moved AS ({_MOVE}) "  # noqa: S608 -- our own names
    f"INSERT INTO {_TABLE} {_COLUMNS} SELECT id, attempt_count, {_PLACES} FROM moved"
)
