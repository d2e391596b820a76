"""Alerts from thresholds: what they watch, when they fire, what is told and what is not."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, connection, transaction

from authz.audit.actor import Actor
from authz.models import AuditEvent, Project
from integrations.connections.services import register_integration
from registry.catalog.aliases import set_alias
from registry.catalog.protection import protect_alias
from registry.models import Alert, RegisteredModel, Threshold
from registry.monitoring.alerting import evaluation
from registry.monitoring.alerting.evaluation import evaluate, evaluate_all
from registry.monitoring.alerting.handling import silence
from registry.monitoring.alerting.thresholds import set_threshold, update_threshold
from registry.monitoring.performance import update_performance
from tests.api_client import ApiClient
from tests.registry.conftest import Register
from tests.registry.monitoring.conftest import Call

BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
Told = list[tuple[str, dict[str, Any]]]


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(BEGIN, tick=False) as traveller:
        yield traveller


def states() -> list[str]:
    return list(Alert.objects.order_by("pk").values_list("state", flat=True))


def test_latency_of_calls_from_breach_to_end(
    register: Register, call: Call, actor: Actor, project: Project, announced: Told,
    clock: time_machine.Traveller,
) -> None:  # fmt: skip
    version = register("a")
    threshold = set_threshold(
        actor=actor, project=project, metric="latency_ms", version=version, critical=800,
        window_s=120, for_s=60,
    )  # fmt: skip
    assert (threshold.comparator, threshold.aggregation) == ("gt", "p95")
    evaluate(threshold)
    assert states() == []
    call(version, latency_ms=900)
    evaluate(threshold)
    assert states() == ["PENDING"]
    assert announced == []
    clock.shift(MINUTE)
    evaluate(threshold)
    assert states() == ["FIRING"]
    event_type, data = announced[0]
    assert event_type == "model.alert.firing"
    assert (data["metric"], data["limit"], data["severity"]) == ("latency_ms", 800, "critical")
    clock.shift(10 * MINUTE)
    evaluate(threshold)
    assert states() == ["FIRING"], "missing data never resolves"
    call(version, latency_ms=100)
    evaluate(threshold)
    assert states() == ["RESOLVED"]
    assert [name for name, _ in announced] == ["model.alert.firing", "model.alert.resolved"]
    call(version, latency_ms=5000)
    clock.shift(MINUTE)
    evaluate(threshold)
    assert states() == ["RESOLVED", "PENDING"]


def test_a_dip_while_pending_leaves_nothing(
    register: Register, actor: Actor, project: Project, announced: Told,
    clock: time_machine.Traveller,
) -> None:  # fmt: skip
    version = register("a")
    set_threshold(
        actor=actor, project=project, metric="accuracy", version=version, critical=0.9, for_s=300
    )
    for accuracy, expected in ((0.8, ["PENDING"]), (0.95, [])):
        clock.shift(MINUTE)
        update_performance(actor=actor, version=version, metrics={"accuracy": accuracy})
        evaluate_all()
        assert states() == expected
    assert announced == []


def test_an_alias_that_moves_begins_anew(
    register: Register, call: Call, actor: Actor, project: Project, announced: Told,
    clock: time_machine.Traveller,
) -> None:  # fmt: skip
    old, new = register("a"), register("a")
    model = old.model
    set_alias(actor=actor, model=model, name="champion", version=1)
    threshold = set_threshold(
        actor=actor, project=project, metric="latency_ms", model=model, alias="champion",
        critical=800, window_s=3600,
    )  # fmt: skip
    clock.shift(MINUTE)
    call(old, latency_ms=2000)
    call(new, latency_ms=3000)
    assert evaluate(threshold) is not None
    clock.shift(MINUTE)
    set_alias(actor=actor, model=model, name="champion", version=2)
    clock.shift(MINUTE)
    assert evaluate(threshold) is None, "what it measured before it was the champion is not counted"
    assert states() == ["RESOLVED"]
    assert [name for name, _ in announced] == ["model.alert.firing", "model.alert.resolved"]
    call(new, latency_ms=3000)
    alert = evaluate(threshold)
    assert alert is not None
    assert alert.version_id == new.pk


def test_models_and_integrations_are_watched_together(
    register: Register, call: Call, actor: Actor, project: Project, announced: Told
) -> None:
    external = register_integration(
        actor=actor, project=project, name="openai", base_url="https://api.openai.com"
    )
    fields = {"provider": "openai", "tasks": ["chat"], "provider_model": "gpt-4"}
    first = register("a", integration=external, **fields)
    second = register("b", integration=external, **fields)
    register("b")
    for version, status in ((first, 200), (second, 500)):
        call(version, status=status)
    of_model = set_threshold(
        actor=actor, project=project, metric="error_rate", model=second.model, warning=0.5
    )
    of_integration = set_threshold(
        actor=actor, project=project, metric="error_rate", integration=external, warning=0.4
    )
    enough = set_threshold(
        actor=actor, project=project, metric="error_rate", integration=external, warning=0.1,
        min_samples=3,
    )  # fmt: skip
    alerts = [evaluate(threshold) for threshold in (of_model, of_integration, enough)]
    assert [alert and alert.value for alert in alerts] == [1.0, 0.5, None]
    assert [alert.severity for alert in alerts if alert] == ["warning", "warning"]


def test_what_is_silenced_or_known_is_not_told(
    register: Register, actor: Actor, project: Project, announced: Told, api: ApiClient,
    clock: time_machine.Traveller,
) -> None:  # fmt: skip
    version = register("a")
    update_performance(actor=actor, version=version, metrics={"accuracy": 0.5})
    threshold = set_threshold(
        actor=actor, project=project, metric="accuracy", version=version, critical=0.9,
        renotify_s=60,
    )  # fmt: skip
    until = BEGIN + timedelta(minutes=5)
    silence(actor=actor, project=project, model=version.model, ends_at=until)
    alert = evaluate(threshold)
    assert alert is not None
    assert (alert.state, alert.is_silenced, announced) == ("FIRING", True, [])
    clock.shift(6 * MINUTE)
    evaluate(threshold)
    assert [name for name, _ in announced] == ["model.alert.still_firing"]
    answered = api.ok("POST", f"registry/alerts/{alert.pk}/acknowledge")
    assert answered["acknowledged_by"]
    clock.shift(6 * MINUTE)
    evaluate(threshold)
    assert len(announced) == 1
    update_performance(actor=actor, version=version, metrics={"accuracy": 0.95})
    evaluate(threshold)
    assert announced[-1][0] == "model.alert.resolved"
    api.refused(409, "POST", f"registry/alerts/{alert.pk}/acknowledge")
    assert AuditEvent.objects.filter(action="alert.acknowledge").count() == 1


def test_an_evaluation_that_fails_is_an_error_and_stops_nobody(
    register: Register, actor: Actor, project: Project, announced: Told,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    version = register("a")
    for policy in ("alert", "keep"):
        set_threshold(
            actor=actor, project=project, metric="accuracy", version=version, critical=0.9,
            no_data_policy=policy,
        )  # fmt: skip

    def fail(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(evaluation, "observe", fail)
    assert evaluate_all() == 2
    assert states() == ["ERROR"]
    assert [name for name, _ in announced] == ["model.alert.error"]


def test_one_alert_is_open_at_a_time(register: Register, actor: Actor, project: Project) -> None:
    version = register("a")
    threshold = set_threshold(
        actor=actor, project=project, metric="accuracy", version=version, critical=0.9
    )
    update_performance(actor=actor, version=version, metrics={"accuracy": 0.5})
    first, second = evaluate(threshold), evaluate(threshold)
    assert first == second
    assert first is not None
    first.pk = None
    first._state.adding = True
    from authz.ids import new_id

    first.pk = new_id()
    with pytest.raises(IntegrityError), transaction.atomic():
        first.save()


def test_what_announces_takes_the_alert_back_when_it_fails(
    register: Register, actor: Actor, project: Project, announced: Told
) -> None:
    from registry.monitoring import announcements

    version = register("a")
    update_performance(actor=actor, version=version, metrics={"accuracy": 0.5})
    threshold = set_threshold(
        actor=actor, project=project, metric="accuracy", version=version, critical=0.9
    )

    def fail(*_: object) -> None:
        raise RuntimeError

    announcements.register_announcer(fail)
    with pytest.raises(RuntimeError):
        evaluate(threshold)
    assert states() == []


def test_a_critical_alert_shuts_the_gate(
    register: Register, actor: Actor, project: Project, api: ApiClient
) -> None:
    version = register("a")
    protect_alias(
        actor=actor, project=project, name="champion", requires_approval=False,
        gates=["no_critical_alert"],
    )  # fmt: skip
    threshold = set_threshold(
        actor=actor, project=project, metric="accuracy", model=version.model, critical=0.9
    )
    update_performance(actor=actor, version=version, metrics={"accuracy": 0.5})
    evaluate(threshold)
    refusal = api.refused(409, "PUT", "registry/models/a/aliases/champion", {"version": 1})
    assert refusal["error_details"]["fields"][0]["path"] == "/gates/no_critical_alert"
    update_performance(actor=actor, version=version, metrics={"accuracy": 0.95})
    api.ok("PUT", "registry/models/a/aliases/champion", {"version": 1})


def test_changing_a_threshold_keeps_what_follows_right(
    register: Register, actor: Actor, project: Project
) -> None:
    threshold = set_threshold(
        actor=actor, project=project, metric="accuracy", model=register("a").model, critical=0.9
    )
    changed = update_threshold(
        actor=actor, threshold=threshold, changes={"warning": 0.95, "recovery": 0.97}
    )
    assert (changed.comparator, changed.warning) == ("lt", 0.95)
    assert Threshold.objects.get().recovery == 0.97


@pytest.mark.django_db(transaction=True)
def test_others_write_while_many_are_evaluated(
    register: Register, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite refuses a transaction that begins while rows are being read, if others wrote since."""
    version = register("watched")
    Threshold.objects.bulk_create(
        Threshold(
            project=version.project, version=version, metric=f"m{index}",
            comparator="lt", critical=1, aggregation="latest",
        )
        for index in range(2100)
    )  # fmt: skip
    evaluated = []

    def write() -> None:
        RegisteredModel.objects.update(description=str(len(evaluated)))
        connection.close()

    def evaluate_one(threshold: Threshold, now: Any) -> None:
        evaluated.append(threshold.pk)
        if len(evaluated) < 3:
            writer = Thread(target=write)
            writer.start()
            writer.join()
            Threshold.objects.filter(pk=threshold.pk).update(is_active=False)

    monkeypatch.setattr(evaluation, "evaluate", evaluate_one)
    assert evaluate_all() == len(evaluated) == 2100
