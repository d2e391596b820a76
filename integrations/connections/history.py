"""The last 24 hours of attempts, hour by hour: one query over those in them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Model
from django.utils import timezone

from integrations.models import CallRecord

HOURS = 24

_HOUR = {
    "sqlite": "SUBSTR({moment}, 1, 13)",
    "postgresql": "TO_CHAR({moment} AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24')",
}
_PER_HOUR = """
SELECT hour, COUNT(*), SUM(failed), MIN(CASE WHEN share >= 0.95 THEN latency_ms END)
FROM (
    SELECT {hour} AS hour, latency_ms, CASE WHEN is_error THEN 1 ELSE 0 END AS failed,
           CUME_DIST() OVER (PARTITION BY {hour} ORDER BY latency_ms) AS share
    FROM {table}
    WHERE {owner} = %s AND {moment} >= %s{besides}
) AS ranked
GROUP BY hour
"""


@dataclass(frozen=True, slots=True)
class Log:
    """A table of attempts with the columns `latency_ms` and `is_error`.

    Args:
        model: Whose table.
        owner: Column of whose attempts they are.
        moment: Column of when they were made.
        besides: A further condition in SQL.
    """

    model: type[Model]
    owner: str
    moment: str
    besides: str = ""


CALLS = Log(CallRecord, "integration_id", "created_at", " AND attempt > 0")


@dataclass(frozen=True, slots=True)
class Hour:
    """The attempts of one hour; no latency where there were none."""

    begins: datetime
    calls: int = 0
    errors: int = 0
    p95_ms: float | None = None


def last_day(owner_id: UUID, now: datetime | None = None, *, log: Log = CALLS) -> tuple[Hour, ...]:
    """Give the last 24 hours, the present one included, oldest first."""
    this_hour = (now or timezone.now()).replace(minute=0, second=0, microsecond=0)
    since = this_hour - timedelta(hours=HOURS - 1)
    found = {hour.begins: hour for hour in _read(log, owner_id, since)}
    moments = (since + timedelta(hours=index) for index in range(HOURS))
    return tuple(found.get(moment, Hour(moment)) for moment in moments)


def _read(log: Log, owner_id: UUID, since: datetime) -> list[Hour]:
    column: Any = log.model._meta.get_field(log.owner)
    key = column.get_db_prep_value(owner_id, connection)
    statement = _PER_HOUR.format(
        hour=_HOUR[connection.vendor].format(moment=log.moment),
        table=connection.ops.quote_name(log.model._meta.db_table),
        owner=log.owner,
        moment=log.moment,
        besides=log.besides,
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, [key, connection.ops.adapt_datetimefield_value(since)])
        return [
            Hour(datetime.strptime(hour, "%Y-%m-%d %H").replace(tzinfo=UTC), calls, errors, p95_ms)
            for hour, calls, errors, p95_ms in cursor.fetchall()
        ]
