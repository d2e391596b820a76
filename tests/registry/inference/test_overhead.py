"""What the gateway adds is said alike on the answer, on record and to Prometheus, everywhere."""

import time
from typing import Any

import pytest
from django.http import StreamingHttpResponse
from prometheus_client import REGISTRY

from registry.inference.calls import Call, Result
from registry.inference.measurements import OVERHEAD_BUCKETS_S, operation_of
from registry.models import InferenceRecord
from tests.api_client import ApiClient
from tests.registry.conftest import Register
from tests.registry.inference.ai_routes import BODIES, STREAMED, answer, register_for, task_of
from tests.registry.inference.scripted_provider import ScriptedProvider

NAME = "intmod_gateway_overhead_seconds"
PROVIDER_S = 0.02


def slowly(call: Call) -> Result:
    """Take a while, which is not the gateway's."""
    time.sleep(PROVIDER_S)
    return answer(call)


def observed(operation: str) -> dict[str, float]:
    """Give the histogram's buckets, count and sum."""
    labels = {"gen_ai_operation_name": operation}
    found = {
        str(le): REGISTRY.get_sample_value(f"{NAME}_bucket", {**labels, "le": str(le)})
        for le in OVERHEAD_BUCKETS_S
    }
    found["count"] = REGISTRY.get_sample_value(f"{NAME}_count", labels)
    found["sum"] = REGISTRY.get_sample_value(f"{NAME}_sum", labels)
    return {name: value or 0.0 for name, value in found.items()}


@pytest.mark.parametrize(
    ("path", "streams"),
    [*((path, False) for path in BODIES), *((path, True) for path in STREAMED)],
)
def test_the_header_the_record_and_the_histogram_agree(
    register: Register, developer: ApiClient, provider: ScriptedProvider, path: str, streams: bool
) -> None:
    provider.answer = slowly
    register_for(path, register)
    operation = operation_of(task_of(path))
    before = observed(operation)
    asked: dict[str, Any] = {"model": "model", **BODIES[path]} | (
        {"stream": True} if streams else {}
    )
    response = developer.call("POST", path, asked)
    if isinstance(response, StreamingHttpResponse):
        b"".join(response.streaming_content)
    assert response.status_code == 200, getattr(response, "content", "")
    overhead_ms = float(response.headers["X-Intmod-Overhead-Ms"])
    after = observed(operation)
    assert after["count"] == before["count"] + 1
    assert after["sum"] - before["sum"] == pytest.approx(overhead_ms / 1000)
    counted = {le for le in OVERHEAD_BUCKETS_S if after[str(le)] > before[str(le)]}
    assert counted == {le for le in OVERHEAD_BUCKETS_S if overhead_ms / 1000 <= le}
    record = InferenceRecord.objects.latest("id")
    assert record.overhead_ms == overhead_ms
    assert record.latency_ms >= PROVIDER_S * 1000
