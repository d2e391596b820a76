"""Checking a version: the guide's answer, with direction; thresholds over the API; the command."""

import json
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from authz.audit.actor import Actor
from authz.models import AuditEvent, Project
from registry.catalog.aliases import set_alias
from registry.models import Threshold
from registry.monitoring.performance import update_performance
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for
from tests.registry.conftest import Register
from tests.registry.monitoring.conftest import Call

X = {"metric": "x", "model": "a", "critical": 8}
CHECK = "registry/models/a/versions/1/check"


def test_latency_above_its_limit_is_a_violation_and_accuracy_above_is_not(
    register: Register, actor: Actor, api: ApiClient
) -> None:
    version = register("a")
    for metric, limit in (("latency", 800), ("accuracy", 0.9)):
        api.ok(
            "POST", "registry/thresholds", {"model_id": "a-1", "metric": metric, "critical": limit}
        )
    metrics = {"latency": 900.0, "accuracy": 0.95}
    update_performance(actor=actor, version=version, metrics=metrics)
    answer = api.ok("POST", CHECK)
    assert answer["model_id"] == "a-1"
    assert answer["performance_metrics"] == metrics
    assert answer["thresholds"] == {"latency": 800, "accuracy": 0.9}
    assert [(row["metric"], row["current"], row["threshold"]) for row in answer["violations"]] == [
        ("latency", 900, 800)
    ]
    assert answer["is_performing_well"] is False
    update_performance(actor=actor, version=version, metrics={"latency": 700, "accuracy": 0.85})
    assert [row["metric"] for row in api.ok("POST", CHECK)["violations"]] == ["accuracy"]


def test_what_calls_measured_is_checked_too(
    register: Register, call: Call, api: ApiClient, actor: Actor
) -> None:
    version = register("a")
    set_alias(actor=actor, model=version.model, name="champion", version=1)
    body = {"model": "a", "alias": "champion", "metric": "latency_ms", "warning": 800}
    api.ok("POST", "registry/thresholds", body)
    assert api.ok("POST", CHECK)["is_performing_well"] is True
    call(version, latency_ms=900)
    answer = api.ok("POST", CHECK)
    assert answer["performance_metrics"]["latency_ms"] == 900
    assert answer["violations"][0]["severity"] == "warning"


def test_a_metrics_own_definition_counts(register: Register, actor: Actor, api: ApiClient) -> None:
    version = register("a")
    api.ok("POST", "registry/metrics", {"key": "toxicity", "direction": "LOWER"})
    row = api.ok(
        "POST", "registry/thresholds", {"model_id": "a-1", "metric": "toxicity", "critical": 0.2}
    )
    assert row["comparator"] == "gt"
    update_performance(actor=actor, version=version, metrics={"toxicity": 0.3})
    assert api.ok("POST", CHECK)["is_performing_well"] is False


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "/metric"),
        ({"metric": "accuracy", "critical": 1}, "/model"),
        ({"metric": "accuracy", "critical": 1, "model": "none"}, "/model"),
        ({"metric": "accuracy", "critical": 1, "model_id": "none"}, "/model_id"),
        ({"metric": "accuracy", "critical": 1, "model": "a", "model_id": "a-1"}, "/model"),
        ({"metric": "accuracy", "critical": 1, "model_id": "a-1", "alias": "x"}, "/alias"),
        ({"metric": "accuracy", "model": "a"}, "/critical"),
        ({"metric": "accuracy", "model": "a", "critical": "1"}, "/critical"),
        ({"metric": "accuracy", "model": "a", "critical": 1, "comparator": "gt"}, "/comparator"),
        ({"metric": "latency_ms", "model": "a", "critical": 1, "comparator": "lt"}, "/comparator"),
        ({"metric": "accuracy", "model": "a", "critical": 0.9, "warning": 0.8}, "/warning"),
        ({"metric": "latency_ms", "model": "a", "critical": 8, "warning": 9}, "/warning"),
        ({"metric": "latency_ms", "model": "a", "critical": 8, "recovery": 9}, "/recovery"),
        ({**X, "comparator": "eq", "recovery": 9}, "/recovery"),
        ({**X, "comparator": "outside_range"}, "/critical_upper"),
        ({"metric": "x", "model": "a", "critical": 8, "critical_upper": 9}, "/critical_upper"),
        ({"metric": "x", "model": "a", "critical": 8, "window_s": 5}, "/window_s"),
        ({"metric": "x", "model": "a", "critical": 8, "window_s": 2**40}, "/window_s"),
        ({"metric": "1", "model": "a", "critical": 8}, "/metric"),
        ({"metric": "x", "model": "a", "critical": 8, "aggregation": "p42"}, "/aggregation"),
        ({"metric": "x", "model": "a", "critical": 8, "odd": 1}, "/odd"),
    ],
)  # fmt: skip
def test_odd_thresholds(
    register: Register, api: ApiClient, body: dict[str, Any], path: str
) -> None:
    register("a")
    events = AuditEvent.objects.count()
    envelope = api.refused(400, "POST", "registry/thresholds", body)
    assert envelope["error_details"]["fields"][0]["path"] == path
    assert not Threshold.objects.exists()
    assert AuditEvent.objects.count() == events


def test_a_contradiction_that_is_meant(register: Register, api: ApiClient) -> None:
    register("a")
    body = {"metric": "accuracy", "model": "a", "critical": 0.999, "comparator": "gt"}
    created = api.ok("POST", "registry/thresholds", body | {"contradicts_direction": True})
    path = f"registry/thresholds/{created['id']}"
    api.refused(400, "PATCH", path, {"contradicts_direction": False})
    assert api.ok("PATCH", path, {"name": "Too good"})["name"] == "Too good"
    assert (
        api.ok("GET", "registry/thresholds?metric=accuracy&model=a")["results"][0]["id"]
        == created["id"]
    )
    api.ok("DELETE", path)
    api.refused(404, "GET", path)


def test_silences_over_the_api(register: Register, api: ApiClient) -> None:
    register("a")
    end = {"ends_at": "2999-01-01T00:00:00Z"}
    created = api.ok("POST", "registry/silences", end | {"model": "a", "comment": "x"})
    assert created["model"] == "a"
    api.refused(400, "POST", "registry/silences", {"ends_at": "2001-01-01T00:00:00Z"})
    api.refused(400, "POST", "registry/silences", end | {"model": "none"})
    api.refused(400, "POST", "registry/silences", {})
    assert len(api.ok("GET", "registry/silences")["results"]) == 1
    api.ok("DELETE", f"registry/silences/{created['id']}")
    api.refused(404, "DELETE", f"registry/silences/{created['id']}")


def test_other_projects_and_lesser_roles(
    register: Register, api: ApiClient, other_project: Project, project: Project
) -> None:
    register("a")
    body = {"metric": "accuracy", "model": "a", "critical": 0.9}
    created = api.ok("POST", "registry/thresholds", body)
    other = ApiClient(api_key_for(MembershipFactory(project=other_project)))
    other.refused(404, "GET", f"registry/thresholds/{created['id']}")
    other.refused(404, "POST", CHECK)
    other.refused(400, "POST", "registry/thresholds", body)
    assert other.ok("GET", "registry/alerts")["results"] == []
    viewer = ApiClient(api_key_for(MembershipFactory(project=project, role_name="viewer")))
    viewer.refused(403, "POST", "registry/thresholds", body)
    viewer.ok("POST", CHECK)


def check_models(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("check_models", "--project", "shop", *arguments, stdout=out)
    except CommandError as error:
        return error.returncode, out.getvalue()
    return 0, out.getvalue()


def test_the_command_exits_with_1_on_violations(
    register: Register, actor: Actor, api: ApiClient
) -> None:
    version = register("a")
    register("b")
    api.ok("POST", "registry/thresholds", {"model": "a", "metric": "accuracy", "critical": 0.9})
    assert check_models() == (0, "a-1: well\nb-1: well\n")
    update_performance(actor=actor, version=version, metrics={"accuracy": 0.5})
    code, said = check_models()
    assert (code, "a-1: accuracy is 0.5, critical is lt 0.9" in said) == (1, True)
    assert check_models("b")[0] == 0
    assert check_models("none")[0] == 2
    code, said = check_models("--json", "a")
    assert (code, json.loads(said)[0]["is_performing_well"]) == (1, False)


def test_the_worker_runs_once(register: Register, call: Call, api: ApiClient) -> None:
    call(register("a"))
    out = StringIO()
    call_command("monitor_models", stdout=out)
    assert json.loads(out.getvalue())["evaluated"] == 0
