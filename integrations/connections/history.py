"""An integration's last 24 hours, hour by hour: one query over the attempts in them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.db import connection
from django.utils import timezone

from integrations.models import CallRecord

HOURS = 24

_HOUR = {
    "sqlite": "SUBSTR(created_at, 1, 13)",
    "postgresql": "TO_CHAR(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24')",
}
_PER_HOUR = """
SELECT hour, COUNT(*), SUM(failed), MIN(CASE WHEN share >= 0.95 THEN latency_ms END)
FROM (
    SELECT {hour} AS hour, latency_ms, CASE WHEN is_error THEN 1 ELSE 0 END AS failed,
           CUME_DIST() OVER (PARTITION BY {hour} ORDER BY latency_ms) AS share
    FROM integrations_callrecord
    WHERE integration_id = %s AND created_at >= %s AND attempt > 0
) AS ranked
GROUP BY hour
"""


@dataclass(frozen=True, slots=True)
class Hour:
    """The attempts of one hour; no latency where there were none."""

    begins: datetime
    calls: int = 0
    errors: int = 0
    p95_ms: float | None = None


def last_day(integration_id: UUID, now: datetime | None = None) -> tuple[Hour, ...]:
    """Give the last 24 hours, the present one included, oldest first."""
    this_hour = (now or timezone.now()).replace(minute=0, second=0, microsecond=0)
    since = this_hour - timedelta(hours=HOURS - 1)
    found = {hour.begins: hour for hour in _read(integration_id, since)}
    moments = (since + timedelta(hours=index) for index in range(HOURS))
    return tuple(found.get(moment, Hour(moment)) for moment in moments)


def _read(integration_id: UUID, since: datetime) -> list[Hour]:
    key = CallRecord._meta.get_field("integration_id").get_db_prep_value(integration_id, connection)
    statement = _PER_HOUR.format(hour=_HOUR[connection.vendor])
    with connection.cursor() as cursor:
        cursor.execute(statement, [key, connection.ops.adapt_datetimefield_value(since)])
        return [
            Hour(datetime.strptime(hour, "%Y-%m-%d %H").replace(tzinfo=UTC), calls, errors, p95_ms)
            for hour, calls, errors, p95_ms in cursor.fetchall()
        ]
