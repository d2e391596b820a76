"""Spans of calls, sent where OpenTelemetry's variables say."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from registry.inference import tracing
from tests.api_client import ApiClient
from tests.registry.inference.conftest import ServeModel
from tests.registry.inference.events import ask_for_stream, read
from tests.registry.inference.raw_upstream import HELLO, completing, refused, streaming

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"


class Collector:
    """Takes spans as an OTLP collector does, over HTTP."""

    def __init__(self) -> None:
        self.spans: list[Any] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                sent = ExportTraceServiceRequest.FromString(body)
                for resource in sent.resource_spans:
                    for scope in resource.scope_spans:
                        outer.spans += scope.spans
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Stay silent."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.endpoint = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[Collector]:
    collector = Collector()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint)
    monkeypatch.setattr(tracing, "_tracers", {})
    settings.TRACES_ENABLED = True
    thread = threading.Thread(
        target=collector.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    yield collector
    collector.server.shutdown()
    collector.server.server_close()
    thread.join()


def sent(collector: Collector) -> tuple[Any, dict[str, Any]]:
    """Have all spans sent, and give the last with its attributes."""
    (tracer,) = tracing._tracers.values()
    tracer.span_processor.force_flush()
    span = collector.spans[-1]
    said = {}
    for attribute in span.attributes:
        value = getattr(attribute.value, attribute.value.WhichOneof("value"))
        texts = getattr(value, "values", None)
        said[attribute.key] = value if texts is None else [text.string_value for text in texts]
    return span, said


def test_a_call_is_a_span_below_the_callers(
    serve_model: ServeModel, developer: ApiClient, collector: Collector
) -> None:
    serve_model(completing())
    body = {"model": "remote", "prompt": "a secret prompt", "max_tokens": 20, "temperature": 0.5}
    developer.ok("POST", "ai/generate", body, Traceparent=f"00-{TRACE}-{PARENT}-01")
    span, said = sent(collector)
    assert span.name == "text_completion remote"
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    assert span.end_time_unix_nano > span.start_time_unix_nano
    request_id = said.pop("intmod.request_id")
    assert request_id
    assert said == {
        "gen_ai.operation.name": "text_completion",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "remote",
        "gen_ai.response.model": "upstream-model",
        "gen_ai.request.stream": False,
        "gen_ai.request.max_tokens": 20,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 9,
        "gen_ai.usage.output_tokens": 4,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "gen_ai.usage.reasoning.output_tokens": 0,
        "intmod.model.version": 1,
        "intmod.tries": 1,
    }
    assert "secret prompt" not in str(collector.spans)


def test_failures_and_streams_say_what_they_are(
    serve_model: ServeModel, developer: ApiClient, collector: Collector
) -> None:
    serve_model(refused("401 No", "no"), "broken")
    developer.refused(502, "POST", "ai/generate", {"model": "broken", "prompt": "Hi"})
    span, said = sent(collector)
    assert (span.status.code, said["error.type"]) == (2, "upstream_auth_failed")
    serve_model(streaming(*HELLO))
    read(ask_for_stream(developer))
    _, said = sent(collector)
    assert said["gen_ai.request.stream"] is True
    assert said["gen_ai.request.max_tokens"] > 0
    assert said["gen_ai.response.time_to_first_chunk"] > 0


@pytest.mark.parametrize("traceparent", ["", "nonsense", "00-zz-zz-01", "é"])
def test_an_odd_traceparent_begins_a_trace_of_its_own(
    serve_model: ServeModel, developer: ApiClient, collector: Collector, traceparent: str
) -> None:
    serve_model(completing())
    body = {"model": "remote", "prompt": "Hi"}
    developer.ok("POST", "ai/generate", body, Traceparent=traceparent)
    span, _ = sent(collector)
    assert span.parent_span_id == b""


def test_nothing_is_loaded_without_being_asked_for(
    serve_model: ServeModel, developer: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracing, "_tracers", {})
    serve_model(completing())
    developer.ok("POST", "ai/generate", {"model": "remote", "prompt": "Hi"})
    assert tracing._tracers == {}
