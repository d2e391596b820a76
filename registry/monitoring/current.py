"""The last 24 hours of every version in numbers, for searches and rules: materialised by a job."""

from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from registry.catalog.search.query import AGGREGATIONS, LATEST
from registry.models import MetricRollup, ModelVersion, VersionMetric
from registry.monitoring.definitions import ERROR_RATE
from registry.monitoring.histogram import Summary
from registry.monitoring.rollup import begin_of, summary_of

PERIOD = timedelta(hours=24)
BATCH = 500


def materialise(now: datetime | None = None) -> int:
    """Write the aggregates of the last 24 hours anew, from rollups, and give how many there are.

    Hours that lie in the period as a whole are read as such, the rest by minutes.
    """
    now = now or timezone.now()
    since = now - PERIOD
    first_hour = begin_of(since, 3600) + timedelta(hours=1)
    last_hour = begin_of(now, 3600)
    summaries: dict[tuple[UUID, str], Summary] = defaultdict(Summary)
    for level_s, begin, end in (
        (60, since, first_hour),
        (3600, first_hour, last_hour),
        (60, last_hour, now),
    ):
        rows = MetricRollup.objects.filter(level_s=level_s, begins_at__gte=begin, begins_at__lt=end)
        for row in rows.iterator():
            summaries[row.version_id, row.metric].merge(summary_of(row))
    existing = set(ModelVersion.objects.values_list("pk", flat=True))
    values = [
        VersionMetric(
            version_id=version_id, metric=metric, aggregation=aggregation, value=value,
            computed_at=now,
        )
        for (version_id, metric), summary in summaries.items()
        if version_id in existing
        for metric, aggregation, value in _aggregates(metric, summary)
    ]  # fmt: skip
    with transaction.atomic():
        for start in range(0, len(values), BATCH):
            VersionMetric.objects.bulk_create(
                values[start : start + BATCH],
                update_conflicts=True,
                unique_fields=["version", "metric", "aggregation"],
                update_fields=["value", "computed_at"],
            )
        # What nobody measured for a day has no value for it.
        VersionMetric.objects.exclude(aggregation=LATEST).filter(computed_at__lt=now).delete()
    return len(values)


def _aggregates(metric: str, summary: Summary) -> list[tuple[str, str, float]]:
    found = []
    for aggregation in AGGREGATIONS:
        if aggregation != LATEST and (value := summary.value(aggregation)) is not None:
            found.append((metric, aggregation, value))
            if metric == "error" and aggregation == "avg":
                found.append((ERROR_RATE, "avg", value))
    return found
