"""Reported measurements of a version: the current value of each metric, and all before it."""

import math
import re
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from authz.audit.actor import Actor
from authz.audit.record import record_change
from intmod_site.api.errors import ValidationFailed
from registry.catalog.search.query import LATEST
from registry.models import MetricSample, ModelVersion, VersionMetric

METRIC_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.:/-]{0,99}")
MAX_METRICS = 1000
CLOCK_SKEW = timedelta(minutes=5)


def update_performance(
    *, actor: Actor, version: ModelVersion, metrics: dict[str, float], ts: datetime | None = None
) -> ModelVersion:
    """Take over measured values: current from now on, and kept in the history.

    Args:
        actor: Who measured.
        version: What was measured.
        metrics: Values by metric name.
        ts: When; now by default. An older moment than the current value's goes to the history only.

    Raises:
        ValidationFailed: A name or value is odd, or the moment lies in the future.
    """
    moment = ts or timezone.now()
    if moment > timezone.now() + CLOCK_SKEW:
        raise ValidationFailed.of("ts", "This moment lies in the future.")
    _check(metrics)
    with transaction.atomic():
        current = (
            ModelVersion.objects.select_for_update(of=("self",), no_key=True)
            .select_related("project", "model")
            .get(pk=version.pk)
        )
        newer = set(
            MetricSample.objects.filter(
                version=current,
                metric__in=metrics,
                ts__gt=moment,
                source=MetricSample.Source.REPORTED,
            ).values_list("metric", flat=True)
        )
        MetricSample.objects.bulk_create(
            (
                MetricSample(version=current, metric=name, value=value, ts=moment)
                for name, value in metrics.items()
            ),
            ignore_conflicts=True,
        )
        before = dict(current.performance_metrics)
        current.performance_metrics |= {
            name: value for name, value in metrics.items() if name not in newer
        }
        current.save(update_fields=["performance_metrics", "updated_at"])
        VersionMetric.objects.bulk_create(
            (
                VersionMetric(
                    version=current, metric=name, aggregation=LATEST, value=value,
                    computed_at=moment,
                )
                for name, value in metrics.items()
                if name not in newer
            ),
            update_conflicts=True,
            unique_fields=["version", "metric", "aggregation"],
            update_fields=["value", "computed_at"],
        )  # fmt: skip
        record_change(
            actor=actor,
            action="modelversion.measure",
            obj=current,
            project=current.project,
            before=before,
            after=current.performance_metrics,
        )
    return current


def _check(metrics: Any) -> None:
    if not isinstance(metrics, dict) or not 0 < len(metrics) <= MAX_METRICS:
        raise ValidationFailed.of("metrics", f"An object of 1 to {MAX_METRICS} values by name.")
    for name, value in metrics.items():
        if not METRIC_NAME.fullmatch(name):
            raise ValidationFailed.of("metrics", f"{name[:100]!a} is not a metric name.")
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not math.isfinite(value)
        ):
            raise ValidationFailed.of(f"/metrics/{name}", "A finite number.")
