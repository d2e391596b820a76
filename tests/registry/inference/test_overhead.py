"""What the gateway adds is said alike on the answer, on record and to Prometheus, everywhere."""

import time
from typing import Any

import pytest
from django.http import StreamingHttpResponse
from prometheus_client import REGISTRY

from registry.inference.calls import (
    AnalyzeCall,
    AnalyzeResult,
    Call,
    Classification,
    ClassifyCall,
    ClassifyResult,
    EmbedCall,
    EmbedResult,
    LabelScore,
    Result,
    Usage,
)
from registry.inference.measurements import OVERHEAD_BUCKETS_S
from registry.inference.providers.local import LOCAL_MODELS
from registry.models import InferenceRecord
from tests.api_client import ApiClient
from tests.registry.conftest import Register
from tests.registry.inference.scripted_provider import ScriptedProvider, hello

NAME = "intmod_gateway_overhead_seconds"
MESSAGES = {"messages": [{"role": "user", "content": "Hi"}]}
ROUTES = {
    "ai/generate": ({"prompt": "Hi"}, "text_completion"),
    "ai/chat": (MESSAGES, "chat"),
    "ai/code": ({"instruction": "Greet.", "language": "python"}, "code"),
    "ai/analyze": ({"text": "Hi", "analyses": ["language"]}, "analyze"),
    "ai/classify": ({"text": "Hi", "labels": ["a", "b"]}, "classify"),
    "ai/embed": ({"input": "Hi"}, "embeddings"),
    "/v1/chat/completions": (MESSAGES, "chat"),
    "/v1/messages": ({**MESSAGES, "max_tokens": 9}, "chat"),
    "/v1/embeddings": ({"input": "Hi"}, "embeddings"),
}
TASKS = {"/v1/chat/completions": "chat", "/v1/messages": "chat", "/v1/embeddings": "embed"}
STREAMED = ("ai/generate", "ai/chat", "ai/code", "/v1/chat/completions", "/v1/messages")
PROVIDER_S = 0.02


def answer(call: Call) -> Result:
    """Take a while, which is not the gateway's."""
    time.sleep(PROVIDER_S)
    match call:
        case EmbedCall():
            return EmbedResult([[1.0]], Usage(1))
        case AnalyzeCall():
            return AnalyzeResult({"language": {"language": "en", "confidence": 0.9}})
        case ClassifyCall():
            scores = [LabelScore("a", 0.9), LabelScore("b", 0.1)]
            return ClassifyResult([Classification(["a"], scores)], Usage(1))
    return hello(call)


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
    [*((path, False) for path in ROUTES), *((path, True) for path in STREAMED)],
)
def test_the_header_the_record_and_the_histogram_agree(
    register: Register, developer: ApiClient, provider: ScriptedProvider, path: str, streams: bool
) -> None:
    provider.answer = answer
    body, operation = ROUTES[path]
    task = TASKS.get(path, path.removeprefix("ai/"))
    local_name, local = next(
        (name, local) for name, local in LOCAL_MODELS.items() if task in local.tasks
    )
    register("model", provider_model=local_name, tasks=sorted(local.tasks))
    before = observed(operation)
    asked: dict[str, Any] = {"model": "model", **body} | ({"stream": True} if streams else {})
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
