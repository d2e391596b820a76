"""Samples in batches, and series of what was measured."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authz.models import AuditEvent, Project
from registry.models import MetricRollup, MetricSample, ModelVersion, VersionMetric
from registry.monitoring.current import materialise
from registry.monitoring.histogram import ACCURACY
from registry.monitoring.rollup import KEPT, prune_rollups, roll_up
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for
from tests.registry.conftest import Register
from tests.registry.monitoring.conftest import Call, settle

FUTURE = "2999-01-01T00:00:00Z"
BEGIN = datetime(2026, 3, 1, 12, tzinfo=UTC)


def sample(value: float, ts: datetime | None = None, **more: Any) -> dict[str, Any]:
    moment = {"ts": ts.isoformat()} if ts else {}
    return {"model_id": "a-1", "metric": "accuracy", "value": value, **moment, **more}


def send(api: ApiClient, *samples: dict[str, Any]) -> Any:
    return api.ok("POST", "db/metrics", {"samples": list(samples)})


def ask(api: ApiClient, **query: str) -> Any:
    values = {
        "model": "a-1", "metric": "accuracy", "since": BEGIN.isoformat(),
        "until": (BEGIN + timedelta(hours=3)).isoformat(),
    }  # fmt: skip
    return api.ok("GET", f"db/metrics?{urlencode(values | query)}")


def test_batches_may_be_out_of_order_and_repeated(api: ApiClient, register: Register) -> None:
    version = register("a")
    batch = [sample(0.9, BEGIN + timedelta(hours=1)), sample(0.8, BEGIN)]
    assert send(api, *batch) == {"accepted": 2, "duplicates": 0}
    assert send(api, *batch, sample(0.7, BEGIN - timedelta(hours=1))) == {
        "accepted": 1,
        "duplicates": 2,
    }
    version.refresh_from_db()
    assert version.performance_metrics == {"accuracy": 0.9}
    assert MetricSample.objects.count() == 3
    assert version.metric_values.get().value == 0.9
    assert AuditEvent.objects.filter(action="modelversion.measure").count() == 1


@pytest.mark.parametrize(
    ("samples", "path"),
    [
        ([], "/samples"),
        ([{"model_id": "a-1", "metric": "x", "value": "1"}], "/samples/0/value"),
        ([{"model_id": "a-1", "metric": "x", "value": True}], "/samples/0/value"),
        ([{"model_id": "a-1", "metric": "1x", "value": 1}], "/samples/0/metric"),
        ([{"model_id": "none", "metric": "x", "value": 1}], "/samples/0/model_id"),
        ([{"model_id": "a-1", "metric": "x", "value": 1, "ts": FUTURE}], "/samples/0/ts"),
        ([{"model_id": "a-1", "metric": "x", "value": 1}] * 1001, "/samples"),
        ([{"model_id": "a-1", "metric": "x", "value": 1, "odd": 1}], "/samples/0/odd"),
        ("x", "/samples"),
    ],
)  # fmt: skip
def test_odd_batches_change_nothing(
    api: ApiClient, register: Register, samples: Any, path: str
) -> None:
    register("a")
    good = [sample(1.0)] if isinstance(samples, list) and 0 < len(samples) < 10 else []
    sent = [*samples, *good] if good else samples
    envelope = api.refused(400, "POST", "db/metrics", {"samples": sent})
    assert envelope["error_details"]["fields"][0]["path"].startswith(path)
    assert MetricSample.objects.count() == 0


@pytest.mark.parametrize("raw", [b'{"samples":[{"model_id":"a-1","metric":"x","value":%s}]}'])
@pytest.mark.parametrize("value", [b"NaN", b"Infinity", b"-Infinity", b"1e999"])
def test_what_is_no_finite_number_is_refused(
    api: ApiClient, register: Register, raw: bytes, value: bytes
) -> None:
    register("a")
    api.refused(400, "POST", "db/metrics", raw=raw % value)
    assert MetricSample.objects.count() == 0


def test_empty_buckets_stand_there(api: ApiClient, register: Register) -> None:
    register("a")
    send(api, sample(0.8, BEGIN), sample(0.9, BEGIN + timedelta(minutes=30)))
    send(api, sample(0.5, BEGIN + timedelta(hours=2)))
    for _ in range(2):
        points = ask(api, step="1h")["points"]
        assert [(point["count"], point["value"]) for point in points] == [
            (2, pytest.approx(0.85)), (0, None), (1, 0.5),
        ]  # fmt: skip
        settle()
    assert ask(api, step="1h", agg="count")["points"][1]["value"] == 0
    assert len(ask(api, step="5m")["points"]) == 36
    assert ask(api, model="a", agg="max")["points"][0]["value"] == 0.9
    assert ask(api, model="a:1", agg="min")["points"][0]["value"] == 0.8


def test_what_calls_measure(api: ApiClient, register: Register, call: Call) -> None:
    version = register("a")
    for index in range(10):
        failed = {"status": 502, "error_code": "upstream_failed"} if index < 2 else {}
        call(version, created_at=BEGIN, latency_ms=100.0 * (index + 1), **failed)
    settle()
    call(version, created_at=BEGIN + timedelta(minutes=1), latency_ms=5.0)

    def first(metric: str, agg: str) -> Any:
        return ask(api, metric=metric, agg=agg)["points"][0]["value"]

    assert first("error_rate", "avg") == pytest.approx(2 / 11)
    assert first("latency_ms", "p95") == pytest.approx(1000, rel=ACCURACY)
    assert first("latency_ms", "min") == 5
    assert first("input_tokens", "sum") == 9 * 1000
    assert first("cost_usd", "sum") == pytest.approx(0.009)


def test_each_row_is_summed_up_once(register: Register, call: Call) -> None:
    version = register("a")
    now = timezone.now()
    for _ in range(3):
        call(version)
    assert roll_up(now) == 0, "what is being written is left for the next run"
    assert roll_up(now + timedelta(seconds=5)) == 0
    assert roll_up(now + timedelta(seconds=11)) > 0
    call(version)
    for seconds in (22, 33, 44):
        roll_up(now + timedelta(seconds=seconds))
    for level_s in MetricRollup.LEVELS_S:
        rows = MetricRollup.objects.filter(level_s=level_s, metric="latency_ms")
        assert sum(row.count for row in rows) == 4


def test_what_is_late_lands_in_its_bucket(api: ApiClient, register: Register) -> None:
    register("a")
    send(api, sample(1.0, BEGIN))
    settle(timezone.now())
    send(api, sample(3.0, BEGIN + timedelta(seconds=1)))
    settle(timezone.now() + timedelta(minutes=1))
    for step in ("1m", "1h", "1d"):
        point = ask(api, step=step)["points"][0]
        assert (point["count"], point["value"]) == (2, 2.0), step


def test_levels_are_kept_for_their_time(register: Register, call: Call) -> None:
    version = register("a")
    call(version, created_at=BEGIN)
    settle()
    total = MetricRollup.objects.count()
    prune_rollups(BEGIN + KEPT[60] - timedelta(minutes=1))
    assert MetricRollup.objects.count() == total
    prune_rollups(BEGIN + KEPT[60] + timedelta(minutes=1))
    assert set(MetricRollup.objects.values_list("level_s", flat=True)) == {3600, 86_400}
    prune_rollups(BEGIN + KEPT[3600] + timedelta(hours=1))
    assert set(MetricRollup.objects.values_list("level_s", flat=True)) == {86_400}


def test_the_last_day_can_be_searched_by(api: ApiClient, register: Register, call: Call) -> None:
    fast, slow = register("a"), register("a")
    now = timezone.now()
    for _ in range(5):
        call(fast, latency_ms=100)
        call(slow, latency_ms=900, created_at=now - timedelta(hours=5))
        call(slow, latency_ms=5000, created_at=now - timedelta(hours=30))
    settle(now)
    materialise(now)

    def found(text: str) -> list[str]:
        rows = api.ok("GET", f"registry/versions?{urlencode({'filter': text})}")["results"]
        return [row["model_id"] for row in rows]

    assert found("metrics.latency_ms.p95 < 800") == ["a-1"]
    assert found("metrics.latency_ms.p95 > 800 AND metrics.latency_ms.p95 < 1000") == ["a-2"]
    assert found("metrics.error_rate.avg = 0") == ["a-2", "a-1"]
    materialise(now + timedelta(days=2))
    assert found("metrics.latency_ms.p95 > 0") == []
    assert not VersionMetric.objects.exists()


@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"agg": "median"}, "/agg"), ({"step": "5s"}, "/step"), ({"step": "0m"}, "/step"),
        ({"step": "99d"}, "/step"), ({"since": "odd"}, "/since"), ({"metric": ""}, "/metric"),
        ({"metric": "1"}, "/metric"), ({"model": ""}, "/model"), ({"until": "1999"}, "/until"),
        ({"since": "2026-03-01T16:00:00Z"}, "/since"), ({"odd": "1"}, "/odd"),
        ({"since": "2020-01-01T00:00:00Z", "step": "1m"}, "/step"),
        ({"since": "0001-01-01T00:00:00Z", "step": "31d"}, "/since"),
    ],
)  # fmt: skip
def test_odd_questions(
    api: ApiClient, register: Register, query: dict[str, str], path: str
) -> None:
    register("a")
    values = {
        "model": "a-1", "metric": "accuracy", "since": BEGIN.isoformat(),
        "until": (BEGIN + timedelta(hours=3)).isoformat(),
    }  # fmt: skip
    envelope = api.refused(400, "GET", f"db/metrics?{urlencode(values | query)}")
    assert envelope["error_details"]["fields"][0]["path"] == path


def test_another_projects_metrics(
    register: Register, other_project: Project, api: ApiClient
) -> None:
    register("a")
    other = ApiClient(api_key_for(MembershipFactory(project=other_project)))
    other.refused(404, "GET", "db/metrics?model=a-1&metric=accuracy")
    other.refused(400, "POST", "db/metrics", {"samples": [sample(1)]})
    api.refused(404, "GET", "db/metrics?model=none&metric=accuracy")


def test_series_cost_the_same_for_any_number_of_rows(
    api: ApiClient, register: Register, call: Call
) -> None:
    version = register("a")
    counts = []
    for _ in range(2):
        for _ in range(10):
            call(version, created_at=BEGIN)
        ask(api, metric="latency_ms")
        with CaptureQueriesContext(connection) as captured:
            ask(api, metric="latency_ms")
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_definitions(api: ApiClient, project: Project) -> None:
    body = {"key": "toxicity", "direction": "LOWER", "unit": "", "kind": "ratio"}
    created = api.ok("POST", "registry/metrics", body)
    assert created == body | {"description": ""}
    api.refused(409, "POST", "registry/metrics", body)
    api.refused(400, "POST", "registry/metrics", body | {"key": "1"})
    api.refused(400, "POST", "registry/metrics", body | {"key": "b", "direction": "UP"})
    api.ok("PATCH", "registry/metrics/toxicity", {"unit": "%"})
    assert api.ok("GET", "registry/metrics")["results"][0]["unit"] == "%"
    api.ok("DELETE", "registry/metrics/toxicity")
    api.refused(404, "GET", "registry/metrics/toxicity")
    assert ModelVersion.objects.count() == 0
