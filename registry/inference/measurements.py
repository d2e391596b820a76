"""Prometheus metrics of calls, named after OpenTelemetry's conventions for generative AI.

Source: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-metrics/. Dots are underscores
and units are in the names, as Prometheus wants them.
"""

from functools import lru_cache
from typing import Any

from prometheus_client import Counter, Histogram

from registry.inference.records import Outcome

DURATION_BUCKETS_S = (
    0.01,
    0.02,
    0.04,
    0.08,
    0.16,
    0.32,
    0.64,
    1.28,
    2.56,
    5.12,
    10.24,
    20.48,
    40.96,
    81.92,
)
FIRST_TOKEN_BUCKETS_S = (
    0.001,
    0.005,
    0.01,
    0.02,
    0.04,
    0.06,
    0.08,
    0.1,
    0.25,
    0.5,
    0.75,
    1,
    2.5,
    5,
    7.5,
    10,
)
OVERHEAD_BUCKETS_S = (
    0.00025,
    0.0005,
    0.001,
    0.002,
    0.004,
    0.008,
    0.016,
    0.032,
    0.064,
    0.128,
    0.256,
)

_CALL = ["gen_ai_operation_name", "gen_ai_provider_name", "gen_ai_request_model"]

duration = Histogram(
    "gen_ai_client_operation_duration_seconds",
    "Time of a call from its resolution to its end.",
    [*_CALL, "error_type"],
    buckets=DURATION_BUCKETS_S,
)
tokens = Counter(
    "gen_ai_client_token_usage_tokens",
    "Tokens read and written.",
    [*_CALL, "gen_ai_token_type"],
)
first_token = Histogram(
    "gen_ai_client_operation_time_to_first_chunk_seconds",
    "Time of a streamed call to its first text or tool call.",
    _CALL,
    buckets=FIRST_TOKEN_BUCKETS_S,
)
overhead = Histogram(
    "intmod_gateway_overhead_seconds",
    "Time that the gateway itself adds to a call, waits for providers left out.",
    ["gen_ai_operation_name"],
    buckets=OVERHEAD_BUCKETS_S,
)

# OpenTelemetry's words where it has one for our task.
OPERATIONS = {"generate": "text_completion", "chat": "chat", "embed": "embeddings"}


def operation_of(task: str) -> str:
    """Give the operation's name for a task."""
    return OPERATIONS.get(task, task)


def observe_call(outcome: Outcome) -> None:
    """Count one ended call."""
    operation, target = operation_of(outcome.task), outcome.target
    call = (operation, target.provider, target.model)
    error_type = outcome.error.error_code if outcome.error else ""
    _of(duration, *call, error_type).observe(outcome.latency_ms / 1000)
    if (usage := outcome.usage) is not None:
        _of(tokens, *call, "input").inc(usage.input_tokens)
        _of(tokens, *call, "output").inc(usage.output_tokens)
    if outcome.first_token_ms is not None:
        _of(first_token, *call).observe(outcome.first_token_ms / 1000)
    if outcome.overhead_ms is not None:
        _of(overhead, operation).observe(outcome.overhead_ms / 1000)


@lru_cache(maxsize=16_384)
def _of(metric: Any, *labels: str) -> Any:
    """Look the labels up once: that costs more than counting."""
    return metric.labels(*labels)
