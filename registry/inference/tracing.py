"""OpenTelemetry spans of calls, where an operator asked for them.

OTEL_EXPORTER_OTLP_ENDPOINT says where they go (with all other variables of OpenTelemetry's own),
the extra `otel` brings the library. Without either nothing is loaded and nothing is measured.

Names: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/.
"""

import os
import threading
import time
from multiprocessing.util import Finalize
from typing import Any

from django.conf import settings

from intmod_site.request_context import RequestContext
from registry.inference.calls import ChatCall
from registry.inference.measurements import operation_of
from registry.inference.records import Outcome

REQUESTED = (
    "max_tokens", "temperature", "top_p", "top_k", "seed", "frequency_penalty", "presence_penalty",
)  # fmt: skip
"""The settings of a chat that are `gen_ai.request.…` on its span, where it has them."""

_lock = threading.Lock()
_tracers: dict[int, Any] = {}


def trace_call(outcome: Outcome, request: RequestContext | None) -> None:
    """Send the span of a call that just ended, below the caller's own if it named one."""
    if not settings.TRACES_ENABLED:
        return
    from opentelemetry.trace import SpanKind, Status, StatusCode
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    ended_ns = time.time_ns()
    caller = {"traceparent": request.traceparent} if request and request.traceparent else {}
    span = _tracer().start_span(
        f"{operation_of(outcome.task)} {outcome.target.model}",
        context=TraceContextTextMapPropagator().extract(caller),
        kind=SpanKind.CLIENT,
        start_time=ended_ns - int(outcome.latency_ms * 1_000_000),
        attributes=attributes_of(outcome, request),
    )
    if outcome.error:
        span.set_status(Status(StatusCode.ERROR))
    span.end(end_time=ended_ns)


def attributes_of(outcome: Outcome, request: RequestContext | None) -> dict[str, Any]:
    """Give what a span says of a call; texts are not in it."""
    target, usage = outcome.target, outcome.usage
    said: dict[str, Any] = {
        "gen_ai.operation.name": operation_of(outcome.task),
        "gen_ai.provider.name": target.provider,
        "gen_ai.request.model": target.model,
        "gen_ai.response.model": target.provider_model,
        "gen_ai.request.stream": outcome.is_stream,
        "intmod.model.version": target.number,
        "intmod.tries": outcome.tries,
    }
    if request:
        said["intmod.request_id"] = request.request_id
    if isinstance(outcome.call, ChatCall):
        for name in REQUESTED:
            if (value := getattr(outcome.call, name)) is not None:
                said[f"gen_ai.request.{name}"] = value
    if outcome.route:
        said["intmod.route"] = outcome.route
    if outcome.finish_reason:
        said["gen_ai.response.finish_reasons"] = [outcome.finish_reason]
    if outcome.first_token_ms is not None:
        said["gen_ai.response.time_to_first_chunk"] = outcome.first_token_ms / 1000
    if usage is not None:
        said["gen_ai.usage.input_tokens"] = usage.input_tokens
        said["gen_ai.usage.output_tokens"] = usage.output_tokens
        said["gen_ai.usage.cache_read.input_tokens"] = usage.cached_tokens
        said["gen_ai.usage.reasoning.output_tokens"] = usage.reasoning_tokens
    if outcome.error:
        said["error.type"] = outcome.error.error_code
    return said


def _tracer() -> Any:
    """Give this process's tracer: its sending thread does not outlive a fork."""
    pid = os.getpid()
    tracer = _tracers.get(pid)
    if tracer is None:
        with _lock:
            tracer = _tracers.get(pid) or _start(pid)
    return tracer


def _start(pid: int) -> Any:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "intmod"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    Finalize(provider, provider.shutdown, exitpriority=50)
    _tracers[pid] = provider.get_tracer("intmod")
    return _tracers[pid]
