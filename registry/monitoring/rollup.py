"""Summing measurements up by minute, hour and day, each row once.

Rows are taken by their ids, so that what is late or out of order is merged into the bucket that it
belongs to. A run takes the rows that the run before saw, at least SETTLED after: a transaction that
was writing among them has ended by then, and no id is left out.
"""

import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Max
from django.utils import timezone

from registry.models import InferenceRecord, MetricRollup, MetricSample, RollupPosition
from registry.monitoring.histogram import Summary

SETTLED = timedelta(seconds=10)
BATCH = 20_000
REPORTED, CALLS = "samples", "inference"
FAILED = 400
"""HTTP statuses from here on count as errors."""

KEPT = {60: timedelta(days=2), 3600: timedelta(days=60), 86_400: timedelta(days=730)}
"""How long the rollups of each level are kept; the coarser ones go on where the finer end."""

Value = tuple[UUID, str, datetime, float]
Key = tuple[UUID, str, int, datetime]

CALL_COLUMNS = (
    "id", "version_id", "created_at", "status", "latency_ms", "input_tokens", "output_tokens",
    "cost_usd",
)  # fmt: skip


def roll_up(now: datetime | None = None) -> int:
    """Sum up what has settled, and give how many rows were taken.

    Two that run at once come one after the other: the position's row is their lock.
    """
    now = now or timezone.now()
    taken = 0
    for source in (REPORTED, CALLS):
        while rows := _run(source, now):
            taken += rows
            if rows < BATCH:
                break
    return taken


def prune_rollups(now: datetime | None = None) -> int:
    """Delete rollups that are older than their level is kept, and give how many."""
    now = now or timezone.now()
    deleted = 0
    for level_s, kept in KEPT.items():
        old = MetricRollup.objects.filter(level_s=level_s, begins_at__lt=now - kept)
        deleted += old.delete()[0]
    return deleted


def begin_of(moment: datetime, level_s: int) -> datetime:
    """Give the begin of the bucket that a moment lies in."""
    return datetime.fromtimestamp(math.floor(moment.timestamp() / level_s) * level_s, UTC)


def values_of_call(row: dict[str, Any]) -> Iterator[tuple[str, float]]:
    """Give what a row of the inference log measures; see `registry.monitoring.measured`."""
    yield "latency_ms", row["latency_ms"]
    failed = row["status"] >= FAILED
    yield "error", float(failed)
    if failed:
        return
    for name in ("input_tokens", "output_tokens", "cost_usd"):
        if row[name] is not None:
            yield name, float(row[name])


def read_values(source: str, rows: Any) -> Iterator[Value]:
    """Give the values in rows of a source, as version, metric, moment and value."""
    if source == REPORTED:
        yield from rows.values_list("version_id", "metric", "ts", "value").iterator()
        return
    for row in rows.values(*CALL_COLUMNS).iterator():
        for metric, value in values_of_call(row):
            yield row["version_id"], metric, row["created_at"], value


def rows_of(source: str) -> Any:
    """Give the rows of a source that measure something."""
    if source == REPORTED:
        return MetricSample.objects.filter(source=MetricSample.Source.REPORTED).order_by()
    return InferenceRecord.objects.exclude(version_id=None).order_by()


def _run(source: str, now: datetime) -> int:
    with transaction.atomic():
        RollupPosition.objects.get_or_create(source=source)
        position = RollupPosition.objects.select_for_update().get(source=source)
        if position.seen_at is None or now - position.seen_at >= SETTLED:
            target, renew = position.seen_id, True
        else:
            return 0
        upper = min(target, position.rolled_id + BATCH)
        rows = rows_of(source).filter(id__gt=position.rolled_id, id__lte=upper)
        summaries = _summed(read_values(source, rows))
        _merge(summaries)
        taken = upper - position.rolled_id
        position.rolled_id = upper
        if upper == target and renew:
            position.seen_id = max(
                position.seen_id, rows_of(source).aggregate(last=Max("id"))["last"] or 0
            )
            position.seen_at = now
        position.save()
    return taken


def _summed(values: Iterator[Value]) -> dict[Key, Summary]:
    minutes: dict[Key, Summary] = defaultdict(Summary)
    for version_id, metric, moment, value in values:
        minutes[version_id, metric, 60, begin_of(moment, 60)].add(value)
    summaries = dict(minutes)
    for (version_id, metric, _, begins_at), summary in minutes.items():
        for level_s in MetricRollup.LEVELS_S[1:]:
            key = (version_id, metric, level_s, begin_of(begins_at, level_s))
            summaries.setdefault(key, Summary()).merge(summary)
    return summaries


def _merge(summaries: dict[Key, Summary]) -> None:
    """Add summaries to the stored ones, a few hundred at a time."""
    keys = sorted(summaries, key=lambda key: (key[2], key[3], key[1], key[0].int))
    for start in range(0, len(keys), 200):
        chunk = keys[start : start + 200]
        stored = {
            (row.version_id, row.metric, row.level_s, row.begins_at): row
            for row in MetricRollup.objects.filter(
                version__in={key[0] for key in chunk},
                metric__in={key[1] for key in chunk},
                level_s__in={key[2] for key in chunk},
                begins_at__in={key[3] for key in chunk},
            )
        }
        for key in chunk:
            if key in stored:
                summaries[key].merge(summary_of(stored[key]))
        MetricRollup.objects.bulk_create(
            (_row(key, summaries[key]) for key in chunk),
            update_conflicts=True,
            unique_fields=["version", "metric", "level_s", "begins_at"],
            update_fields=["count", "total", "least", "most", "buckets"],
        )


def _row(key: Key, summary: Summary) -> MetricRollup:
    version_id, metric, level_s, begins_at = key
    return MetricRollup(
        version_id=version_id,
        metric=metric,
        level_s=level_s,
        begins_at=begins_at,
        count=summary.count,
        total=summary.total,
        least=summary.least,
        most=summary.most,
        buckets=summary.as_json(),
    )


def summary_of(row: MetricRollup) -> Summary:
    """Read a stored summary."""
    return Summary(row.count, row.total, row.least, row.most, Summary.buckets_from(row.buckets))
