"""Something of everything that watches models, and more of it."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from authz.audit.actor import Actor
from authz.ids import new_id
from registry.catalog.approvals import request_approval
from registry.catalog.protection import protect_alias
from registry.models import Alert, ModelVersion
from registry.monitoring.alerting.evaluation import evaluate
from registry.monitoring.alerting.handling import silence
from registry.monitoring.alerting.thresholds import set_threshold
from registry.monitoring.definitions import define_metric
from registry.monitoring.optimization.recommendations import optimize
from registry.monitoring.optimization.rules import add_optimization_rule
from registry.monitoring.performance import update_performance

ACTOR = Actor(kind="system", label="tests")


def watch(version: ModelVersion, *, name: str = "") -> list[Any]:
    """Watch a version in every way; its accuracy breaches a threshold."""
    project = version.project
    update_performance(actor=ACTOR, version=version, metrics={"accuracy": 0.5})
    threshold = set_threshold(
        actor=ACTOR, project=project, metric="accuracy", version=version, critical=0.9, name=name
    )
    rule = add_optimization_rule(
        actor=ACTOR, project=project, name=f"rule {name}", action="notify",
        condition="metrics.accuracy < 0.9",
    )  # fmt: skip
    optimize(version)
    alert = evaluate(threshold)
    assert alert is not None
    return [
        threshold,
        alert,
        rule,
        rule.recommendations.get(version=version),
        define_metric(actor=ACTOR, project=project, key=f"metric{name}", direction="HIGHER"),
        silence(
            actor=ACTOR, project=project, threshold=threshold,
            ends_at=timezone.now() + timedelta(hours=1),
        ),
        protect_alias(
            actor=ACTOR, project=project, name=f"protected{name}", requires_approval=False
        ),
        request_approval(actor=ACTOR, version=version, alias="champion"),
    ]  # fmt: skip


def more_alerts(alert: Alert, count: int) -> None:
    """Add alerts that are over."""
    for _ in range(count):
        row = Alert.objects.get(pk=alert.pk)
        row.pk, row.state = new_id(), "RESOLVED"
        row._state.adding = True
        row.save()
