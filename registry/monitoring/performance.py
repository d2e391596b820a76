"""Reported measurements of a version: the current value of each metric, and all before it."""

import math
import re
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from authz.audit.actor import Actor
from intmod_site.api.errors import NotFound, ValidationFailed
from intmod_site.request_context import current_request_id
from registry.models import ModelVersion
from registry.monitoring.keeping import Report, keep

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
        NotFound: The version was deleted meanwhile.
    """
    moment = ts or timezone.now()
    if moment > timezone.now() + CLOCK_SKEW:
        raise ValidationFailed.of("ts", "This moment lies in the future.")
    _check(metrics)
    with transaction.atomic():
        values = [(name, float(value), moment) for name, value in metrics.items()]
        by_name = {version.identifier: values}
        request_id = current_request_id() or ""
        (kept,) = keep([Report(actor, version.project, by_name, request_id)])
        if kept.missing:
            raise NotFound(f"There is no version {version}.", code="version_not_found")
    version.refresh_from_db(fields=["performance_metrics"])
    return version


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
