"""What is known of metrics: the project's own definitions, else what comes with the product."""

from dataclasses import dataclass
from typing import Any

from django.db import transaction

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from authz.models import Project
from intmod_site.api.errors import NotFound
from intmod_site.conflicts import atomic_unless_taken
from intmod_site.locked_rows import locked
from registry.models import MetricDefinition
from registry.monitoring.alerting.comparison import HIGHER, LOWER
from registry.monitoring.measured import MEASURED_METRICS

ERROR_RATE = "error_rate"
"""The average of `error`, under the name that people give it."""


@dataclass(frozen=True, slots=True)
class Known:
    """A metric that comes with the product."""

    unit: str
    direction: str


# Lower is better for these; of what nobody defined, more is better, as with accuracy.
KNOWN = {
    "latency_ms": Known("ms", LOWER),
    "latency_s": Known("s", LOWER),
    "latency": Known("", LOWER),
    "error": Known("", LOWER),
    ERROR_RATE: Known("", LOWER),
    "cost_usd": Known("USD", LOWER),
    "input_tokens": Known("tokens", LOWER),
    "output_tokens": Known("tokens", LOWER),
    "loss": Known("", LOWER),
    "perplexity": Known("", LOWER),
}


def direction_of(project_id: Any, metric: str) -> str:
    """Say which way is better for a metric."""
    defined = (
        MetricDefinition.objects.in_project(project_id)
        .filter(key=metric)
        .values_list("direction", flat=True)
        .first()
    )
    if defined:
        return str(defined)
    return KNOWN[metric].direction if metric in KNOWN else HIGHER


def default_aggregation(metric: str) -> str:
    """Give how a metric is read where nobody says: calls over a time, reports as the latest."""
    if metric == "latency_ms":
        return "p95"
    return "avg" if metric in {*MEASURED_METRICS, ERROR_RATE} else "latest"


def define_metric(
    *, actor: Actor, project: Project, key: str, direction: str, **fields: Any
) -> MetricDefinition:
    """Define a metric.

    Raises:
        Conflict: It is defined already.
        django.core.exceptions.ValidationError: A field is wrong.
    """
    with atomic_unless_taken(f"There is a metric called {key} already."):
        row = MetricDefinition(project=project, key=key, direction=direction, **fields)
        row.full_clean(exclude=["project"], validate_unique=False, validate_constraints=False)
        row.save(force_insert=True)
        record_change(
            actor=actor,
            action="metricdefinition.create",
            obj=row,
            project=project,
            after=state_of(row),
        )
    return row


def update_definition(
    *, actor: Actor, definition: MetricDefinition, changes: dict[str, Any]
) -> MetricDefinition:
    """Change a metric's definition; thresholds keep the comparator that they have.

    Raises:
        django.core.exceptions.ValidationError: A field is wrong.
    """
    with transaction.atomic():
        current = _locked(definition)
        before = state_of(current)
        for name, value in changes.items():
            setattr(current, name, value)
        current.full_clean(exclude=["project"], validate_unique=False, validate_constraints=False)
        current.save()
        record_change(
            actor=actor,
            action="metricdefinition.update",
            obj=current,
            project=current.project,
            before=before,
            after=state_of(current),
        )
    return current


def delete_definition(*, actor: Actor, definition: MetricDefinition) -> None:
    """Delete a metric's definition; its samples stay."""
    with transaction.atomic():
        current = _locked(definition)
        before, project = state_of(current), current.project
        current.delete()
        record_change(
            actor=actor,
            action="metricdefinition.delete",
            obj=definition,
            project=project,
            before=before,
        )


def _locked(definition: MetricDefinition) -> MetricDefinition:
    return locked(definition, missing=NotFound(f"There is no metric called {definition.key}."))
