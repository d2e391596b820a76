"""A version's metrics over the last day, as charts with their limits and as a table."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from intmod_site.charts import LineChart, Point, line_chart
from registry.models import ModelVersion, Threshold
from registry.monitoring.alerting.comparison import Bounds, breaches
from registry.monitoring.reading import Bucket, series
from registry.monitoring.rollup import begin_of

HOURS = 24
STEP_S = 3600
ALWAYS = (("latency_ms", "p95"), ("error_rate", "avg"))
MORE_AT_MOST = 2


@dataclass(frozen=True, slots=True)
class MetricCard:
    """One metric: its chart, which of its points breach a limit, and its hours in numbers."""

    key: str
    title: str
    chart: LineChart
    points: list[tuple[Point, bool]]
    rows: list[tuple[Bucket, bool]]
    limits: list[str]
    scale: list[str]
    hours: list[str]

    @property
    def has_values(self) -> bool:
        """Whether there is anything to draw."""
        return any(bucket.value is not None for bucket, _ in self.rows)


def metric_cards(
    version: ModelVersion, thresholds: Sequence[Threshold], now: datetime | None = None
) -> list[MetricCard]:
    """Draw latency, errors, and up to two more metrics that are watched."""
    now = now or timezone.now()
    chosen = list(ALWAYS)
    for row in thresholds:
        how = "avg" if row.aggregation == "latest" else row.aggregation
        if all(row.metric != metric for metric, _ in chosen) and how != "count":
            chosen.append((row.metric, how))
    return [
        _card(index, version, metric, how, thresholds, now)
        for index, (metric, how) in enumerate(chosen[: len(ALWAYS) + MORE_AT_MOST])
    ]


def _card(
    index: int,
    version: ModelVersion,
    metric: str,
    how: str,
    thresholds: Sequence[Threshold],
    now: datetime,
) -> MetricCard:
    since = begin_of(now, STEP_S) - timedelta(hours=HOURS - 1)
    buckets = series([version.pk], metric, how, since=since, until=now, step_s=STEP_S)
    watching = [row for row in thresholds if row.metric == metric]
    marked = [(bucket, _breaches(bucket, watching)) for bucket in buckets]
    limits = sorted({limit for row in watching for limit in _limits(row) if limit >= 0})
    # Charts begin at zero; what lies below is in the table.
    drawn = [max(bucket.value, 0.0) if bucket.value is not None else None for bucket in buckets]
    labels = [_label(bucket) for bucket in buckets]
    chart = line_chart(drawn, labels, limits=limits)
    breached = [breach for bucket, breach in marked if bucket.value is not None]
    return MetricCard(
        key=f"metric-{index}",
        title=f"{metric}, {how}",
        chart=chart,
        points=list(zip(chart.points, breached, strict=True)),
        rows=marked,
        limits=[f"{limit:g}" for limit in limits],
        scale=[f"{tick.value:g}" for tick in reversed(chart.ticks)],
        hours=[f"{buckets[at].begins_at:%H:%M}" for at in range(0, len(buckets), HOURS // 4)],
    )


def _limits(row: Threshold) -> list[float]:
    given: list[Any] = [row.warning, row.warning_upper, row.critical, row.critical_upper]
    return [limit for limit in given if limit is not None]


def _breaches(bucket: Bucket, thresholds: Sequence[Threshold]) -> bool:
    if bucket.value is None:
        return False
    return any(
        limit is not None and breaches(bucket.value, row.comparator, Bounds(limit, upper))
        for row in thresholds
        for limit, upper in (
            (row.warning, row.warning_upper),
            (row.critical, row.critical_upper),
        )
    )


def _label(bucket: Bucket) -> str:
    value = "nothing" if bucket.value is None else f"{bucket.value:.4g}"
    return f"{bucket.begins_at:%Y-%m-%d %H:%M} UTC: {value} of {bucket.count}"
