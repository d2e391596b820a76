"""How integrations do, from the log of their attempts: the same for every process that asks.

Percentiles are nearest-rank: the smallest latency that so many of the attempts did not exceed.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, Max, Q
from django.utils import timezone

from integrations.connections.breaker import CLOSED, Standing, standing_of
from integrations.http.breaker import State
from integrations.models import BreakerState, CallRecord, Integration

WINDOWS = {
    "5m": timedelta(minutes=5),
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
}
DEFAULT_WINDOW = "1h"
DEGRADED_FROM = 0.05
FAILING_FROM = 0.5


class Health(StrEnum):
    """One word for how it does."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    FAILING = "failing"
    UNKNOWN = "unknown"
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True)
class LastError:
    """The latest attempt that went wrong."""

    at: datetime
    code: str
    message: str
    status: int | None


@dataclass(frozen=True, slots=True)
class IntegrationStatus:
    """An integration's attempts in a window.

    Args:
        name: Whose.
        is_active: Whether it is called at all.
        request_count: Attempts that were sent or failed to connect.
        error_count: Those without an answer, or with one of 400 and above.
        p50_ms, p95_ms: Latency of an attempt; None without any.
        breaker: How it stands now.
        last_error: In the window.
    """

    name: str
    is_active: bool
    request_count: int
    error_count: int
    p50_ms: float | None
    p95_ms: float | None
    breaker: Standing
    last_error: LastError | None

    @property
    def error_rate(self) -> float:
        """The share of errors; 0 when there were no attempts."""
        return self.error_count / self.request_count if self.request_count else 0.0

    @property
    def health(self) -> Health:
        """One word: the breaker's first, then the share of errors."""
        if not self.is_active:
            return Health.INACTIVE
        if self.breaker.state is not State.CLOSED:
            return Health.FAILING
        if not self.request_count:
            return Health.UNKNOWN
        if self.error_rate >= FAILING_FROM:
            return Health.FAILING
        return Health.DEGRADED if self.error_rate >= DEGRADED_FROM else Health.HEALTHY


def statuses(
    integrations: Iterable[Integration], *, window: str, now: datetime | None = None
) -> list[IntegrationStatus]:
    """Give the status of each: five queries, however many they are.

    Args:
        integrations: In the order wanted.
        window: One of `WINDOWS`.
        now: The window's end.
    """
    rows = list(integrations)
    ids = [row.pk for row in rows]
    since = (now or timezone.now()) - WINDOWS[window]
    counts = _counts(ids, since)
    latencies = _percentiles(ids, since)
    breakers = BreakerState.objects.in_bulk(ids)
    errors = _last_errors(ids, since)
    return [
        IntegrationStatus(
            row.name,
            row.is_active,
            *counts.get(row.pk, (0, 0)),
            *latencies.get(row.pk, (None, None)),
            standing_of(breakers[row.pk]) if row.pk in breakers else CLOSED,
            errors.get(row.pk),
        )
        for row in rows
    ]


def _attempts(ids: Collection[UUID], since: datetime) -> Any:
    return CallRecord.objects.filter(integration_id__in=ids, created_at__gte=since, attempt__gt=0)


def _counts(ids: Collection[UUID], since: datetime) -> dict[UUID, tuple[int, int]]:
    rows = (
        _attempts(ids, since)
        .order_by()
        .values("integration_id")
        .annotate(requests=Count("pk"), errors=Count("pk", filter=Q(is_error=True)))
    )
    return {row["integration_id"]: (row["requests"], row["errors"]) for row in rows}


def _percentiles(
    ids: Collection[UUID], since: datetime
) -> dict[UUID, tuple[float | None, float | None]]:
    if not ids:
        return {}
    field = CallRecord._meta.get_field("integration_id")
    prepared = [field.get_db_prep_value(pk, connection) for pk in ids]
    statement = _PERCENTILES.format(places=", ".join(["%s"] * len(prepared)))
    with connection.cursor() as cursor:
        cursor.execute(statement, [*prepared, connection.ops.adapt_datetimefield_value(since)])
        return {
            pk if isinstance(pk, UUID) else UUID(pk): (p50, p95)
            for pk, p50, p95 in cursor.fetchall()
        }


def _last_errors(ids: Collection[UUID], since: datetime) -> dict[UUID, LastError]:
    latest = (
        _attempts(ids, since)
        .filter(is_error=True)
        .order_by()
        .values("integration_id")
        .annotate(latest=Max("pk"))
        .values("latest")
    )
    rows = CallRecord.objects.filter(pk__in=latest).defer("request_text", "response_text")
    return {
        row.integration_id: LastError(row.created_at, row.error_code, row.error, row.status)
        for row in rows
    }


_PERCENTILES = """
SELECT integration_id,
       MIN(CASE WHEN share >= 0.5 THEN latency_ms END),
       MIN(CASE WHEN share >= 0.95 THEN latency_ms END)
FROM (
    SELECT integration_id, latency_ms,
           CUME_DIST() OVER (PARTITION BY integration_id ORDER BY latency_ms) AS share
    FROM integrations_callrecord
    WHERE integration_id IN ({places}) AND created_at >= %s AND attempt > 0
) AS ranked
GROUP BY integration_id
"""
