"""The numbers of the last 24 hours, each from one query whose cost is bounded by the calls in them.

Percentiles are nearest-rank: the smallest latency that at least 95 % of the calls did not exceed.
Per hour a window function ranks the calls, which SQLite and PostgreSQL both know; over the whole
period the value stands at 5 % of the rows from above, which needs no ranking.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from authz.models import APIKey
from registry.models import InferenceRecord, ModelVersion

HOURS = 24
LISTED = 6

_HOUR = {
    "sqlite": "SUBSTR(created_at, 1, 13)",
    "postgresql": "TO_CHAR(created_at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24')",
}
_PER_HOUR = """
SELECT hour, COUNT(*), SUM(failed), SUM(cost_usd),
       MIN(CASE WHEN share >= 0.95 THEN latency_ms END)
FROM (
    SELECT {hour} AS hour, latency_ms, cost_usd,
           CASE WHEN status >= 400 THEN 1 ELSE 0 END AS failed,
           CUME_DIST() OVER (PARTITION BY {hour} ORDER BY latency_ms) AS share
    FROM registry_inferencerecord
    WHERE created_at >= %s
) AS ranked
GROUP BY hour
"""


@dataclass(frozen=True, slots=True)
class Hour:
    """The calls of one hour; no latency where there were none."""

    begins: datetime
    calls: int = 0
    errors: int = 0
    cost_usd: Decimal = Decimal(0)
    p95_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """The last 24 hours, the present one included, oldest first."""

    hours: tuple[Hour, ...]
    p95_ms: float | None

    @property
    def calls(self) -> int:
        """All calls."""
        return sum(hour.calls for hour in self.hours)

    @property
    def errors(self) -> int:
        """Those that ended in an error."""
        return sum(hour.errors for hour in self.hours)

    @property
    def error_rate(self) -> float:
        """Their share; 0 when there were no calls."""
        return self.errors / self.calls if self.calls else 0.0

    @property
    def cost_usd(self) -> Decimal:
        """What the calls with known prices cost."""
        return sum((hour.cost_usd for hour in self.hours), Decimal(0))


@dataclass(frozen=True, slots=True)
class FirstSteps:
    """What there is of what a first call needs."""

    has_version: bool
    has_key: bool


def begin_of(now: datetime) -> datetime:
    """Give the full hour with which the last 24 begin."""
    return now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=HOURS - 1)


def last_day(now: datetime | None = None) -> Day:
    """Give the last 24 hours: two queries."""
    since = begin_of(now or timezone.now())
    found = {hour.begins: hour for hour in _read_hours(since)}
    moments = (since + timedelta(hours=index) for index in range(HOURS))
    hours = tuple(found.get(moment, Hour(moment)) for moment in moments)
    return Day(hours, _p95(since, sum(hour.calls for hour in found.values())))


def most_used(now: datetime | None = None) -> QuerySet[InferenceRecord, Any]:
    """Give the versions that answered most in the last 24 hours."""
    rows: QuerySet[InferenceRecord, Any] = (
        InferenceRecord.objects.filter(created_at__gte=begin_of(now or timezone.now()))
        .exclude(version_id=None)
        .values("version_id", "model", "version", "provider")
        .annotate(
            calls=Count("pk"),
            errors=Count("pk", filter=Q(status__gte=400)),
            tokens=Sum("input_tokens", default=0) + Sum("output_tokens", default=0),
            cost_usd=Sum("cost_usd"),
        )
        .order_by("-calls", "model")
    )
    return rows[:LISTED]


def latest_errors(now: datetime | None = None) -> QuerySet[InferenceRecord]:
    """Give the latest calls of the last 24 hours that ended in an error."""
    rows: QuerySet[InferenceRecord] = (
        InferenceRecord.objects.filter(
            created_at__gte=begin_of(now or timezone.now()), status__gte=400
        )
        .defer("request_text", "answer_text")
        .order_by("-created_at")
    )
    return rows[:LISTED]


def first_steps() -> FirstSteps:
    """Say what a first call still needs."""
    return FirstSteps(
        has_version=ModelVersion.objects.callable().exists(),
        has_key=APIKey.objects.live().exists(),
    )


def _read_hours(since: datetime) -> list[Hour]:
    statement = _PER_HOUR.format(hour=_HOUR[connection.vendor])
    with connection.cursor() as cursor:
        cursor.execute(statement, [connection.ops.adapt_datetimefield_value(since)])
        rows = cursor.fetchall()
    return [
        Hour(
            begins=datetime.strptime(hour, "%Y-%m-%d %H").replace(tzinfo=UTC),
            calls=calls,
            errors=errors,
            cost_usd=Decimal(str(cost or 0)),
            p95_ms=p95,
        )
        for hour, calls, errors, cost, p95 in rows
    ]


def _p95(since: datetime, calls: int) -> float | None:
    if not calls:
        return None
    latencies = InferenceRecord.objects.filter(created_at__gte=since).order_by("-latency_ms")
    # At least 95 % must not exceed it: ⌊5 %⌋ of the calls may lie above.
    above = calls * 5 // 100
    return latencies.values_list("latency_ms", flat=True)[above : above + 1].first()
