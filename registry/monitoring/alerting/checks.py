"""Checking a version against everything that watches it, now and without memory."""

from datetime import datetime
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone

from registry.models import Alert, ModelVersion, Threshold
from registry.monitoring.alerting.observing import Watched, observe
from registry.monitoring.alerting.states import Seen


def thresholds_of(version: ModelVersion) -> QuerySet[Threshold]:
    """Give the active thresholds that a version answers for."""
    aliases = list(version.aliases.values_list("name", flat=True))
    about = Q(version=version) | Q(model=version.model_id, alias="")
    about |= Q(model=version.model_id, alias__in=aliases)
    if version.integration_id:
        about |= Q(integration=version.integration_id)
    rows = Threshold.objects.filter(about, is_active=True, project=version.project_id)
    return rows.select_related("model", "version__model", "integration").order_by("pk")


def check(version: ModelVersion, now: datetime | None = None) -> dict[str, Any]:
    """Say how a version does; its own values count, whatever the threshold is set on.

    Returns:
        The guide's answer: model_id, performance_metrics, thresholds, violations (each with metric,
        current and threshold) and is_performing_well.
    """
    now = now or timezone.now()
    watched = Watched(str(version.pk), (version.pk,), version.pk)
    metrics, limits, violations = dict(version.performance_metrics), {}, []
    for threshold in thresholds_of(version):
        observed = observe(threshold, watched, now)
        limit = threshold.critical if threshold.critical is not None else threshold.warning
        limits[threshold.metric] = limit
        if observed.value is not None:
            metrics.setdefault(threshold.metric, observed.value)
        if observed.seen is Seen.BREACH:
            violations.append(
                {
                    "metric": threshold.metric,
                    "current": observed.value,
                    "threshold": observed.limit,
                    "comparator": threshold.comparator,
                    "aggregation": threshold.aggregation,
                    "severity": observed.severity,
                    "threshold_id": threshold.pk,
                }
            )
    return {
        "model_id": version.identifier,
        "performance_metrics": metrics,
        "thresholds": limits,
        "violations": violations,
        "is_performing_well": not violations,
    }


def no_critical_alert(version: ModelVersion) -> str | None:
    """Gate of protected aliases: say if something critical fires for a version."""
    firing = Alert.objects.filter(
        version=version, state__in=("FIRING", "RECOVERING"), severity="critical"
    ).first()
    if firing is not None:
        return f"A critical alert is open: {firing.message}"
    broken = [row for row in check(version)["violations"] if row["severity"] == "critical"]
    return f"{broken[0]['metric']} breaches a critical threshold." if broken else None
