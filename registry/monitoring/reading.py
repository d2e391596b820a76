"""Reading metrics over time: from the rollups, and from the rows that are not in them yet."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from registry.models import MetricRollup, RollupPosition
from registry.monitoring.definitions import ERROR_RATE
from registry.monitoring.histogram import Summary
from registry.monitoring.measured import MEASURED_METRICS
from registry.monitoring.rollup import (
    CALLS,
    REPORTED,
    begin_of,
    read_values,
    rows_of,
    summary_of,
)

MINUTE_S = 60
ATTEMPTS = 3
Read = TypeVar("Read")
VersionIds = Iterable[UUID]


@dataclass(frozen=True, slots=True)
class Bucket:
    """One step of a series; no value where nothing was measured."""

    begins_at: datetime
    count: int
    value: float | None


def stored_name(metric: str) -> str:
    """Give the name that a metric's values have: an error rate is the average of errors."""
    return "error" if metric == ERROR_RATE else metric


def summarize(version_ids: VersionIds, metric: str, since: datetime, until: datetime) -> Summary:
    """See `_summarize`; read again if rows were rolled up meanwhile, which would count twice."""
    ids, name = list(version_ids), stored_name(metric)
    return _undisturbed(lambda: _summarize(ids, name, since, until), name)


def _undisturbed(read: Callable[[], Read], metric: str) -> Read:
    for _ in range(ATTEMPTS):
        before = [_rolled_id(source) for source in _sources(metric)]
        found = read()
        if before == [_rolled_id(source) for source in _sources(metric)]:
            break
    return found


def _summarize(ids: list[UUID], name: str, since: datetime, until: datetime) -> Summary:
    """Give the values of a metric in a time, exact at both ends to the moment.

    Args:
        ids: Of which versions, together.
        name: As its values are stored.
        since, until: The time, its begin included and its end not.
    """
    total = Summary()
    first = begin_of(since, MINUTE_S)
    if first < since:
        first += timedelta(seconds=MINUTE_S)
    last = max(begin_of(until, MINUTE_S), first)
    for row in _rollups(ids, name, MINUTE_S, first, last):
        total.merge(summary_of(row))
    for source in _sources(name):
        rolled = _rolled_id(source)
        moment = "ts" if source == REPORTED else "created_at"
        rows = _raw(source, ids, name)
        inside = {f"{moment}__gte": first, f"{moment}__lt": last}
        wanted = [rows.filter(**inside, id__gt=rolled)]
        for begin, end in ((since, min(first, until)), (last, until)):
            if begin < end:
                wanted.append(rows.filter(**{f"{moment}__gte": begin, f"{moment}__lt": end}))
        for part in wanted:
            for _, found, _, value in read_values(source, part):
                if found == name:
                    total.add(value)
    return total


def series(
    version_ids: VersionIds,
    metric: str,
    aggregation: str,
    *,
    since: datetime,
    until: datetime,
    step_s: int,
) -> list[Bucket]:
    """Give a metric's values by steps; those without values stand there too.

    Args:
        version_ids: Of which versions, together.
        metric: Its name.
        aggregation: avg, min, max, sum, count, p50, p95 or p99.
        since, until: The time, widened to whole steps.
        step_s: Length of a step, a multiple of a minute.
    """
    ids, name = list(version_ids), stored_name(metric)
    begin = begin_of(since, step_s)
    steps = _undisturbed(lambda: _steps(ids, name, begin, until, step_s), name)
    buckets = []
    while begin < until:
        summary = steps.get(begin, Summary())
        buckets.append(Bucket(begin, summary.count, summary.value(aggregation)))
        begin += timedelta(seconds=step_s)
    return buckets


def _steps(
    ids: list[UUID], name: str, begin: datetime, until: datetime, step_s: int
) -> dict[datetime, Summary]:
    level_s = max(level for level in MetricRollup.LEVELS_S if step_s % level == 0)
    steps: dict[datetime, Summary] = {}
    for row in _rollups(ids, name, level_s, begin, until):
        steps.setdefault(begin_of(row.begins_at, step_s), Summary()).merge(summary_of(row))
    for source in _sources(name):
        moment = "ts" if source == REPORTED else "created_at"
        rows = _raw(source, ids, name).filter(id__gt=_rolled_id(source))
        rows = rows.filter(**{f"{moment}__gte": begin, f"{moment}__lt": until})
        for _, found, at, value in read_values(source, rows):
            if found == name:
                steps.setdefault(begin_of(at, step_s), Summary()).add(value)
    return steps


def _rollups(
    ids: list[UUID], metric: str, level_s: int, since: datetime, until: datetime
) -> Iterable[MetricRollup]:
    rows = MetricRollup.objects.filter(version__in=ids, metric=metric, level_s=level_s)
    return rows.filter(begins_at__gte=since, begins_at__lt=until).iterator()


def _sources(metric: str) -> tuple[str, ...]:
    return (REPORTED, CALLS) if metric in MEASURED_METRICS else (REPORTED,)


def _rolled_id(source: str) -> int:
    position = RollupPosition.objects.filter(source=source)
    return position.values_list("rolled_id", flat=True).first() or 0


def _raw(source: str, ids: list[UUID], metric: str) -> Any:
    rows = rows_of(source)
    if source == REPORTED:
        return rows.filter(version__in=ids, metric=metric)
    return rows.filter(version_id__in=ids)
