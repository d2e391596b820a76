"""Reported measurements: current values and their history."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from authz.audit.actor import Actor
from intmod_site.api.errors import ValidationFailed
from registry.models import MetricSample
from registry.monitoring.performance import update_performance
from tests.registry.conftest import Register


def test_values_become_current_and_stay_in_the_history(register: Register, actor: Actor) -> None:
    version = register()
    update_performance(actor=actor, version=version, metrics={"accuracy": 0.95, "latency": 0.5})
    update_performance(actor=actor, version=version, metrics={"accuracy": 0.96})
    version.refresh_from_db()
    assert version.performance_metrics == {"accuracy": 0.96, "latency": 0.5}
    values = MetricSample.objects.filter(metric="accuracy").order_by("id")
    assert [sample.value for sample in values] == [0.95, 0.96]


def test_an_older_value_does_not_become_current(register: Register, actor: Actor) -> None:
    version = register()
    now = timezone.now()
    update_performance(actor=actor, version=version, metrics={"accuracy": 0.9}, ts=now)
    update_performance(
        actor=actor,
        version=version,
        metrics={"accuracy": 0.1, "f1": 0.5},
        ts=now - timedelta(days=1),
    )
    version.refresh_from_db()
    assert version.performance_metrics == {"accuracy": 0.9, "f1": 0.5}
    assert MetricSample.objects.count() == 3


@pytest.mark.parametrize(
    "metrics",
    [
        {},
        {"a": float("nan")},
        {"a": float("inf")},
        {"a": True},
        {"a": "1"},
        {"1a": 1.0},
        {"": 1.0},
        {"a" * 101: 1.0},
        {f"m{number}": 1.0 for number in range(1001)},
    ],
)
def test_odd_measurements_are_refused(register: Register, actor: Actor, metrics: Any) -> None:
    version = register()
    with pytest.raises(ValidationFailed, match="metrics"):
        update_performance(actor=actor, version=version, metrics=metrics)
    assert not MetricSample.objects.exists()


def test_the_future_cannot_be_measured(register: Register, actor: Actor) -> None:
    with pytest.raises(ValidationFailed, match="future"):
        update_performance(
            actor=actor,
            version=register(),
            metrics={"a": 1.0},
            ts=timezone.now() + timedelta(hours=1),
        )
