"""Reports of several callers in one transaction: as if one came after the other."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authz.audit.actor import Actor
from authz.models import AuditEvent
from registry.models import MetricSample, ModelVersion
from registry.monitoring.keeping import Kept, Report, Value, keep
from tests.registry.conftest import Register

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def version(register: Register) -> ModelVersion:
    return register("a")


def report(version: ModelVersion, request_id: str, *values: Value, name: str = "") -> Report:
    by_name = {name or version.identifier: list(values)}
    return Report(Actor(kind="human", label=request_id), version.project, by_name, request_id)


def at(value: float, minutes: float = 0, metric: str = "score") -> Value:
    return (metric, value, NOON + timedelta(minutes=minutes))


def test_each_is_on_record_with_what_it_changed(version: ModelVersion) -> None:
    got = keep([
        report(version, "one", at(0.1)),
        report(version, "two", at(0.2, 1), at(0.5, 1, "f1")),
        report(version, "three", at(0.3, 0.5)),
        report(version, "four", at(0.4, 2)),
    ])  # fmt: skip
    assert got == [Kept(1), Kept(2), Kept(1), Kept(1)]
    version.refresh_from_db()
    assert version.performance_metrics == {"score": 0.4, "f1": 0.5}
    assert version.metric_values.get(metric="score").value == 0.4
    events = AuditEvent.objects.filter(action="modelversion.measure").order_by("id")
    assert [(event.request_id, event.actor_label, event.changes) for event in events] == [
        ("one", "one", {"score": [None, 0.1]}),
        ("two", "two", {"f1": [None, 0.5], "score": [0.1, 0.2]}),
        # The third came late: it is in the history and was never current.
        ("four", "four", {"score": [0.2, 0.4]}),
    ]
    assert MetricSample.objects.count() == 5


def test_what_two_send_is_the_firsts(version: ModelVersion) -> None:
    got = keep([report(version, "one", at(0.1), at(0.2)), report(version, "two", at(0.1))])
    assert got == [Kept(2), Kept(0)]
    assert keep([report(version, "three", at(0.2), at(0.3, 1), at(0.3, 1))]) == [Kept(1)]
    version.refresh_from_db()
    assert version.performance_metrics == {"score": 0.3}


def test_of_one_moment_the_last_is_current(version: ModelVersion) -> None:
    keep([report(version, "one", at(0.1), at(0.2), at(0.1))])
    version.refresh_from_db()
    assert version.performance_metrics == {"score": 0.1}
    keep([report(version, "two", at(0.5)), report(version, "three", at(0.4))])
    version.refresh_from_db()
    assert version.performance_metrics == {"score": 0.4}


def test_who_names_nobody_keeps_nothing(version: ModelVersion, register: Register) -> None:
    other = register("b")
    stranger = report(version, "two", at(0.2), name="nobody-1")
    mixed = Report(stranger.actor, version.project, {"b-1": [at(1.0)], "c-1": [at(1.0)]}, "x")
    got = keep([report(version, "one", at(0.1)), stranger, mixed])
    assert got == [Kept(1), Kept(0, frozenset({"nobody-1"})), Kept(0, frozenset({"c-1"}))]
    assert not MetricSample.objects.filter(version=other).exists()
    assert keep([stranger]) == [Kept(0, frozenset({"nobody-1"}))]


def test_more_reports_of_one_version_cost_no_more_queries(version: ModelVersion) -> None:
    def queries(count: int) -> int:
        values = [at(float(count), 10 * count + index) for index in range(count)]
        with CaptureQueriesContext(connection) as caught:
            keep([report(version, "r", value) for value in values])
        return sum("authz_auditevent" not in query["sql"] for query in caught)

    queries(1)
    assert queries(2) == queries(20)
