"""What a threshold sees at a moment: whom it watches, what is measured, whether it breaches."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from registry.catalog.search.query import LATEST
from registry.models import AliasChange, ModelAlias, ModelVersion, Threshold, VersionMetric
from registry.monitoring.alerting.comparison import Bounds, breaches, has_recovered
from registry.monitoring.alerting.states import Seen
from registry.monitoring.reading import summarize


@dataclass(frozen=True, slots=True)
class Watched:
    """What a threshold is about now.

    Args:
        fingerprint: Another one means that it is about something else.
        version_ids: Whose values count.
        version_id: Where it is about one version.
        begins_at: Nothing before counts: an alias pointed elsewhere.
    """

    fingerprint: str
    version_ids: tuple[UUID, ...]
    version_id: UUID | None = None
    begins_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Observation:
    """What was measured, and what it means."""

    seen: Seen
    value: float | None = None
    limit: float | None = None
    severity: str = ""
    count: int = 0


def watched_by(threshold: Threshold) -> Watched | None:
    """Say what a threshold is about; None for an alias that points nowhere."""
    versions = ModelVersion.objects.existing()
    if threshold.version_id:
        ids: Any = (threshold.version_id,)
        return Watched(str(threshold.version_id), ids, threshold.version_id)
    if threshold.integration_id:
        ids = versions.filter(integration=threshold.integration_id).values_list("pk", flat=True)
        return Watched(str(threshold.integration_id), tuple(ids))
    if threshold.alias:
        return _of_alias(threshold)
    ids = versions.filter(model=threshold.model_id).values_list("pk", flat=True)
    return Watched(str(threshold.model_id), tuple(ids))


def observe(threshold: Threshold, watched: Watched, now: datetime) -> Observation:
    """Measure, and compare with the limits."""
    value, count = measure(threshold, watched, now)
    if value is None or count < threshold.min_samples:
        return Observation(Seen.NO_DATA, value, count=count)
    for severity in ("critical", "warning"):
        limit = getattr(threshold, severity)
        bounds = (
            Bounds(limit, getattr(threshold, f"{severity}_upper")) if limit is not None else None
        )
        if bounds and breaches(value, threshold.comparator, bounds):
            return Observation(Seen.BREACH, value, limit, severity, count)
    first = threshold.warning if threshold.warning is not None else threshold.critical
    well = has_recovered(value, threshold.comparator, threshold.recovery)
    return Observation(Seen.FINE if well else Seen.BETWEEN, value, first, count=count)


def measure(threshold: Threshold, watched: Watched, now: datetime) -> tuple[float | None, int]:
    """Give the value that a threshold compares, and of how many samples."""
    if threshold.aggregation == LATEST:
        return _latest(threshold.metric, watched)
    since = now - timedelta(seconds=threshold.window_s)
    if watched.begins_at is not None:
        since = max(since, watched.begins_at)
    # What has just been measured counts, although the window's end does not.
    until = now + timedelta(microseconds=1)
    summary = summarize(watched.version_ids, threshold.metric, since, until)
    return summary.value(threshold.aggregation), summary.count


def _latest(metric: str, watched: Watched) -> tuple[float | None, int]:
    rows = VersionMetric.objects.filter(
        version__in=watched.version_ids, metric=metric, aggregation=LATEST
    )
    if watched.begins_at is not None:
        rows = rows.filter(computed_at__gte=watched.begins_at)
    newest = rows.order_by("-computed_at").values_list("value", flat=True).first()
    return newest, int(newest is not None)


def _of_alias(threshold: Threshold) -> Watched | None:
    alias = ModelAlias.objects.filter(model=threshold.model_id, name=threshold.alias).first()
    if alias is None:
        return None
    moved = (
        AliasChange.objects.filter(model=threshold.model_id, name=threshold.alias)
        .order_by("-sequence")
        .values_list("valid_from", flat=True)
        .first()
    )
    return Watched(str(alias.version_id), (alias.version_id,), alias.version_id, moved)
