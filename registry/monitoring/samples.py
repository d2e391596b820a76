"""Samples in batches: of any versions, in any order, twice if need be."""

import math
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import msgspec
from django.utils import timezone

from authz.audit.actor import Actor
from authz.models import Project
from intmod_site.api.errors import ValidationFailed
from intmod_site.group_commit import GroupCommit
from intmod_site.request_context import current_request_id
from registry.monitoring.keeping import Report, Value, keep
from registry.monitoring.performance import CLOCK_SKEW, METRIC_NAME

MAX_SAMPLES = 1000

_reports = GroupCommit(keep, size=lambda report: report.size, at_once=MAX_SAMPLES)
"""Who reports while others commit is committed with the next: most reports are of few values."""


class Sample(msgspec.Struct, forbid_unknown_fields=True):
    """One measured value; of now, if it does not say when."""

    model_id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    metric: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    value: float
    ts: datetime | None = None


def add_samples(*, actor: Actor, project: Project, samples: Sequence[Sample]) -> tuple[int, int]:
    """Keep samples; the newest of each metric is the version's current value from now on.

    Args:
        actor: Who measured.
        project: Whose versions.
        samples: At most 1000.

    Returns:
        How many were kept, and how many were there already.

    Raises:
        ValidationFailed: Naming the first sample at fault; none is kept then.
    """
    if not 0 < len(samples) <= MAX_SAMPLES:
        raise ValidationFailed.of("samples", f"A list of 1 to {MAX_SAMPLES} samples.")
    now = timezone.now()
    values: dict[str, list[Value]] = defaultdict(list)
    named_at: dict[str, int] = {}
    for index, sample in enumerate(samples):
        moment = _checked(index, sample, now)
        values[sample.model_id].append((sample.metric, sample.value, moment))
        named_at.setdefault(sample.model_id, index)
    kept = _reports.commit(Report(actor, project, values, current_request_id() or ""))
    if kept.missing:
        first = min(named_at[name] for name in kept.missing)
        raise ValidationFailed.of(
            f"/samples/{first}/model_id", "There is no such version in this project."
        )
    return kept.count, len(samples) - kept.count


def _checked(index: int, sample: Sample, now: datetime) -> datetime:
    """Give the sample's moment, in UTC."""
    if not METRIC_NAME.fullmatch(sample.metric):
        raise ValidationFailed.of(f"/samples/{index}/metric", "Not the name of a metric.")
    if not math.isfinite(sample.value):
        raise ValidationFailed.of(f"/samples/{index}/value", "A finite number.")
    if sample.ts is None:
        return now
    try:
        moment = sample.ts.astimezone(UTC) if sample.ts.tzinfo else sample.ts.replace(tzinfo=UTC)
    except OverflowError:
        raise ValidationFailed.of(f"/samples/{index}/ts", "No such moment in UTC.") from None
    if moment > now + CLOCK_SKEW:
        raise ValidationFailed.of(f"/samples/{index}/ts", "This moment lies in the future.")
    return moment
