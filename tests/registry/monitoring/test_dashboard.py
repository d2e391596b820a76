"""The numbers of the last 24 hours, counted by hand."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from registry.models import InferenceRecord
from registry.monitoring.dashboard import last_day, latest_errors, most_used

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def record(**fields: Any) -> InferenceRecord:
    values = {
        "created_at": NOW,
        "project_id": uuid4(),
        "user_id": uuid4(),
        "user_label": "ada",
        "credential": "api_key:x",
        "request_id": "r",
        "task": "chat",
        "version_id": uuid4(),
        "model": "smol",
        "version": 1,
        "status": 200,
        "latency_ms": 1.0,
    }
    return InferenceRecord.objects.create(**values | fields)


def test_no_calls() -> None:
    day = last_day(NOW)
    assert len(day.hours) == 24
    assert (day.calls, day.errors, day.error_rate, day.cost_usd, day.p95_ms) == (0, 0, 0, 0, None)
    assert day.hours[-1].begins == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert day.hours[0].begins == datetime(2026, 2, 28, 13, tzinfo=UTC)


def test_calls_stand_in_their_hour() -> None:
    record(cost_usd=Decimal("0.25"))
    record(status=504, cost_usd=None, latency_ms=30.0)
    record(created_at=NOW - timedelta(hours=3), cost_usd=Decimal("0.5"))
    record(created_at=datetime(2026, 2, 28, 12, 59, 59, tzinfo=UTC))  # a second too early
    record(created_at=datetime(2026, 2, 28, 13, tzinfo=UTC))
    day = last_day(NOW)
    assert [(index, hour.calls) for index, hour in enumerate(day.hours) if hour.calls] == [
        (0, 1),
        (20, 1),
        (23, 2),
    ]
    last = day.hours[-1]
    assert (last.calls, last.errors, last.cost_usd, last.p95_ms) == (2, 1, Decimal("0.25"), 30.0)
    assert (day.calls, day.errors, day.cost_usd) == (4, 1, Decimal("0.75"))
    assert day.error_rate == 0.25


@pytest.mark.parametrize(("count", "p95"), [(1, 1), (19, 19), (20, 19), (21, 20), (100, 95)])
def test_95_percent_do_not_exceed_p95(count: int, p95: int) -> None:
    for latency in range(count, 0, -1):
        record(latency_ms=float(latency))
    day = last_day(NOW)
    assert day.p95_ms == p95
    assert day.hours[-1].p95_ms == p95


def test_the_most_used_come_first() -> None:
    ids = [uuid4() for _ in range(8)]
    for rank, version_id in enumerate(ids):
        for _ in range(rank + 1):
            record(version_id=version_id, input_tokens=2, output_tokens=1, status=500)
    record(version_id=None)
    rows = list(most_used(NOW))
    assert [row["version_id"] for row in rows] == ids[:1:-1]
    assert (rows[0]["calls"], rows[0]["errors"], rows[0]["tokens"]) == (8, 8, 24)


def test_errors_come_latest_first() -> None:
    record()
    older = record(status=400, created_at=NOW - timedelta(minutes=5))
    newer = record(status=502)
    record(status=502, created_at=NOW - timedelta(days=2))
    assert list(latest_errors(NOW)) == [newer, older]


def test_the_day_is_two_queries() -> None:
    for hour in range(24):
        record(created_at=NOW - timedelta(hours=hour))
    with CaptureQueriesContext(connection) as captured:
        last_day(NOW)
    assert len(captured) == 2
