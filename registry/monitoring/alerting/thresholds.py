"""Thresholds: setting, changing and removing them."""

import math
from typing import Any

from django.db import transaction

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from authz.models import Project
from integrations.models import Integration
from intmod_site.api.errors import NotFound, ValidationFailed
from registry.models import ModelVersion, RegisteredModel, Threshold
from registry.monitoring.alerting.comparison import (
    CONTRADICTIONS,
    DEFAULT_COMPARATORS,
    RANGES,
)
from registry.monitoring.definitions import default_aggregation, direction_of

LIMITS = ("warning", "warning_upper", "critical", "critical_upper", "recovery")


def set_threshold(*, actor: Actor, project: Project, metric: str, **fields: Any) -> Threshold:
    """Watch a metric of a model, an alias, a version or an integration.

    Args:
        actor: Who sets it.
        project: Where.
        metric: What is watched; comparator and aggregation follow from it where none is given.
        fields: Columns of `Threshold`.

    Raises:
        ValidationFailed, django.core.exceptions.ValidationError: A field is wrong.
    """
    with transaction.atomic():
        threshold = Threshold(project=project, metric=metric, **fields)
        _complete(threshold)
        threshold.save(force_insert=True)
        _record(actor, "create", threshold, None, state_of(threshold))
    return threshold


def update_threshold(*, actor: Actor, threshold: Threshold, changes: dict[str, Any]) -> Threshold:
    """Change a threshold; what it watches stays.

    Raises:
        ValidationFailed, django.core.exceptions.ValidationError: A field is wrong.
    """
    with transaction.atomic():
        current = locked_threshold(threshold)
        before = state_of(current)
        for name, value in changes.items():
            setattr(current, name, value)
        _complete(current)
        current.save()
        _record(actor, "update", current, before, state_of(current))
    return current


def delete_threshold(*, actor: Actor, threshold: Threshold) -> None:
    """Watch no longer; its alerts go with it."""
    with transaction.atomic():
        current = locked_threshold(threshold)
        before = state_of(current)
        _record(actor, "delete", current, before, None)
        current.delete()


def locked_threshold(threshold: Threshold) -> Threshold:
    """Give a threshold as it is now, locked until the transaction ends.

    Raises:
        NotFound: It was removed meanwhile.
    """
    row = (
        Threshold.objects.select_for_update(of=("self",), no_key=True)
        .select_related("project", "model", "version__model", "integration")
        .filter(pk=threshold.pk)
        .first()
    )
    if row is None:
        raise NotFound("There is no such threshold.")
    return row


def _record(actor: Actor, verb: str, row: Threshold, before: Any, after: Any) -> None:
    record_change(
        actor=actor,
        action=f"threshold.{verb}",
        obj=row,
        project=row.project,
        before=before,
        after=after,
    )


def _complete(row: Threshold) -> None:
    """Fill in what follows from the metric, and refuse what contradicts itself."""
    _check_target(row)
    direction = direction_of(row.project_id, row.metric)
    row.aggregation = row.aggregation or default_aggregation(row.metric)
    row.comparator = row.comparator or DEFAULT_COMPARATORS[direction]
    row.full_clean(
        exclude=["project", "model", "version", "integration"], validate_constraints=False
    )
    if (direction, row.comparator) in CONTRADICTIONS and not row.contradicts_direction:
        better = "higher" if direction == "HIGHER" else "lower"
        raise ValidationFailed.of(
            "comparator",
            f"{better.capitalize()} is better for {row.metric}, and {row.comparator} would call"
            " that a breach; set contradicts_direction if it is meant so.",
        )
    _check_limits(row)


def _check_target(row: Threshold) -> None:
    targets = [name for name in ("model", "version", "integration") if getattr(row, name)]
    if len(targets) != 1:
        raise ValidationFailed.of("model", "Name one: a model, a version or an integration.")
    if row.alias and not row.model:
        raise ValidationFailed.of("alias", "An alias is a model's; name the model.")
    target: RegisteredModel | ModelVersion | Integration = getattr(row, targets[0])
    if target.project_id != row.project_id:
        raise ValidationFailed.of(targets[0], "There is none in this project.")


def _check_limits(row: Threshold) -> None:
    for name in LIMITS:
        value = getattr(row, name)
        if value is not None and not math.isfinite(value):
            raise ValidationFailed.of(name, "A finite number.")
    if row.warning is None and row.critical is None:
        raise ValidationFailed.of("critical", "Give a limit: critical, warning, or both.")
    for name in ("warning", "critical"):
        lower, upper = getattr(row, name), getattr(row, f"{name}_upper")
        if row.comparator in RANGES and lower is not None and (upper is None or upper < lower):
            raise ValidationFailed.of(f"{name}_upper", "The upper end of the range.")
        if upper is not None and (row.comparator not in RANGES or lower is None):
            raise ValidationFailed.of(f"{name}_upper", "Only a range has one.")
    _check_order(row)


def _check_order(row: Threshold) -> None:
    rising = row.comparator in {"gt", "gte"}
    if row.comparator not in {"lt", "lte", "gt", "gte"}:
        if row.recovery is not None:
            raise ValidationFailed.of("recovery", "Only for lt, lte, gt and gte.")
        return
    if row.warning is not None and row.critical is not None:
        milder = row.warning <= row.critical if rising else row.warning >= row.critical
        if not milder:
            raise ValidationFailed.of("warning", "A warning comes before it is critical.")
    if row.recovery is not None:
        first = row.warning if row.warning is not None else row.critical
        assert first is not None  # noqa: S101 -- one of them is there
        if row.recovery > first if rising else row.recovery < first:
            raise ValidationFailed.of("recovery", "It recovers on the good side of the limit.")
