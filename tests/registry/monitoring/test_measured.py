"""What calls measured, read from the inference log."""

from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from authz.models import Project
from registry.models import InferenceRecord, ModelVersion
from registry.monitoring.measured import MEASURED_METRICS
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for
from tests.registry.conftest import Register

PATH = "registry/models/smol/versions/1/performance?source=inference"


@pytest.fixture
def api(project: Project) -> ApiClient:
    return ApiClient(api_key_for(MembershipFactory(project=project, role_name="operator")))


def note_call(version: ModelVersion, **measured: Any) -> None:
    defaults = {
        "created_at": timezone.now(),
        "project_id": version.project_id,
        "user_id": version.pk,
        "task": "chat",
        "version_id": version.pk,
        "status": 200,
        "latency_ms": 1.5,
        "input_tokens": 3,
        "output_tokens": 2,
        "cost_usd": Decimal("0.000007"),
    }
    InferenceRecord.objects.create(**defaults | measured)


@pytest.fixture
def version(register: Register) -> ModelVersion:
    return register()


def values(api: ApiClient, metric: str, **query: Any) -> list[float]:
    more = "".join(f"&{name}={value}" for name, value in query.items())
    history = api.ok("GET", f"{PATH}&metric={metric}{more}")["history"]
    assert {(sample["metric"], sample["source"]) for sample in history} <= {(metric, "inference")}
    return [sample["value"] for sample in history]


def test_each_call_is_a_sample_of_each_metric(
    api: ApiClient, version: ModelVersion, register: Register
) -> None:
    note_call(version)
    note_call(version, latency_ms=2.5)
    note_call(version, status=502, latency_ms=9.0, input_tokens=0, output_tokens=0, cost_usd=0)
    note_call(version, input_tokens=None, output_tokens=None, cost_usd=None)
    note_call(register("other"), latency_ms=77.0)
    assert values(api, "latency_ms") == [1.5, 9.0, 2.5, 1.5]
    assert values(api, "error") == [0, 1, 0, 0]
    assert values(api, "input_tokens") == [3, 3]
    assert values(api, "output_tokens") == [2, 2]
    assert values(api, "cost_usd") == [0.000007, 0.000007]


def test_the_history_comes_in_pages(api: ApiClient, version: ModelVersion) -> None:
    for latency_ms in range(5):
        note_call(version, latency_ms=latency_ms)
    path = f"{PATH}&metric=latency_ms&page_size=2"
    seen, answer = [], api.ok("GET", path)
    while True:
        seen += [sample["value"] for sample in answer["history"]]
        if answer["next"] is None:
            break
        answer = api.ok("GET", f"{path}&cursor={answer['next']}")
    assert seen == [4, 3, 2, 1, 0]


def test_what_was_reported_is_apart(api: ApiClient, version: ModelVersion) -> None:
    note_call(version)
    path = "registry/models/smol/versions/1/performance"
    api.ok("POST", path, {"metrics": {"latency_ms": 800}})
    assert [sample["value"] for sample in api.ok("GET", path)["history"]] == [800]
    reported = api.ok("GET", f"{path}?metric=latency_ms&source=reported")["history"]
    assert [sample["source"] for sample in reported] == ["reported"]
    assert values(api, "latency_ms") == [1.5]


@pytest.mark.parametrize("query", ["", "&metric=accuracy", "&metric="])
def test_calls_measure_certain_things_only(
    api: ApiClient, version: ModelVersion, query: str
) -> None:
    (field,) = api.refused(400, "GET", f"{PATH}{query}")["error_details"]["fields"]
    assert field["path"] == "/metric"
    assert all(metric in field["message"] for metric in MEASURED_METRICS)


def test_another_source_is_refused(api: ApiClient, version: ModelVersion) -> None:
    path = "registry/models/smol/versions/1/performance?source=dreams"
    (field,) = api.refused(400, "GET", path)["error_details"]["fields"]
    assert field["path"] == "/source"
