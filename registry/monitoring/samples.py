"""Samples in batches: of any versions, in any order, twice if need be."""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from authz.audit.actor import Actor
from authz.audit.record import record_change
from authz.models import Project
from intmod_site.api.errors import ValidationFailed
from registry.catalog.search.query import LATEST
from registry.models import MetricSample, ModelVersion, VersionMetric
from registry.monitoring.performance import CLOCK_SKEW, METRIC_NAME

MAX_SAMPLES = 1000


def add_samples(
    *, actor: Actor, project: Project, samples: Sequence[Mapping[str, Any]]
) -> tuple[int, int]:
    """Keep samples; the newest of each metric is the version's current value from now on.

    Args:
        actor: Who measured.
        project: Whose versions.
        samples: Objects of model_id, metric, value and, if it was not now, ts.

    Returns:
        How many were kept, and how many were there already.

    Raises:
        ValidationFailed: Naming the first sample at fault; none is kept then.
    """
    if not 0 < len(samples) <= MAX_SAMPLES:
        raise ValidationFailed.of("samples", f"A list of 1 to {MAX_SAMPLES} samples.")
    now = timezone.now()
    with transaction.atomic():
        versions = _locked(project, samples)
        rows = {}
        for index, sample in enumerate(samples):
            version = versions.get(sample["model_id"])
            if version is None:
                raise ValidationFailed.of(
                    f"/samples/{index}/model_id", "There is no such version in this project."
                )
            moment = sample.get("ts") or now
            _check(index, sample, moment, now)
            value = float(sample["value"])
            rows[version.pk, sample["metric"], moment, value] = MetricSample(
                version=version, metric=sample["metric"], value=value, ts=moment
            )
        known = MetricSample.objects.filter(
            version__in=[version.pk for version in versions.values()],
            ts__in={key[2] for key in rows},
            source=MetricSample.Source.REPORTED,
        ).values_list("version_id", "metric", "ts", "value")
        fresh = [row for key, row in rows.items() if key not in set(known)]
        MetricSample.objects.bulk_create(fresh, ignore_conflicts=True)
        for version in versions.values():
            _make_current(actor, version, [row for row in fresh if row.version_id == version.pk])
    return len(fresh), len(samples) - len(fresh)


def _locked(project: Project, samples: Sequence[Mapping[str, Any]]) -> dict[str, ModelVersion]:
    rows = ModelVersion.objects.in_project(project.pk).existing()
    rows = rows.select_for_update(of=("self",), no_key=True).select_related("model", "project")
    # A version has many columns, some of them long; these are what is read and written here.
    rows = rows.only(
        "identifier", "number", "performance_metrics", "updated_at", "model__name",
        "project__slug",
    )  # fmt: skip
    named = {str(sample["model_id"]) for sample in samples}
    # In one order, so that two batches about the same versions do not wait for each other.
    return {row.identifier: row for row in rows.filter(identifier__in=named).order_by("pk")}


def _check(index: int, sample: Mapping[str, Any], moment: datetime, now: datetime) -> None:
    if not METRIC_NAME.fullmatch(sample["metric"]):
        raise ValidationFailed.of(f"/samples/{index}/metric", "Not the name of a metric.")
    if not math.isfinite(sample["value"]):
        raise ValidationFailed.of(f"/samples/{index}/value", "A finite number.")
    if moment > now + CLOCK_SKEW:
        raise ValidationFailed.of(f"/samples/{index}/ts", "This moment lies in the future.")


def _make_current(actor: Actor, version: ModelVersion, rows: list[MetricSample]) -> None:
    newest: dict[str, MetricSample] = {}
    for row in rows:
        if row.metric not in newest or row.ts >= newest[row.metric].ts:
            newest[row.metric] = row
    later = dict(
        VersionMetric.objects.filter(
            version=version, metric__in=newest, aggregation=LATEST
        ).values_list("metric", "computed_at")
    )
    current = {
        name: row for name, row in newest.items() if name not in later or row.ts >= later[name]
    }
    if not current:
        return
    before = dict(version.performance_metrics)
    version.performance_metrics |= {name: row.value for name, row in current.items()}
    version.save(update_fields=["performance_metrics", "updated_at"])
    VersionMetric.objects.bulk_create(
        (
            VersionMetric(
                version=version, metric=name, aggregation=LATEST, value=row.value,
                computed_at=row.ts,
            )
            for name, row in current.items()
        ),
        update_conflicts=True,
        unique_fields=["version", "metric", "aggregation"],
        update_fields=["value", "computed_at"],
    )  # fmt: skip
    record_change(
        actor=actor,
        action="modelversion.measure",
        obj=version,
        project=version.project,
        before=before,
        after=version.performance_metrics,
    )
