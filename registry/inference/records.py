"""What stays of a call: one inference row and the version's metric samples."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from django.utils import timezone

from authz.identity.principal import Principal
from intmod_site.api.errors import ApiError
from intmod_site.flusher import add_rows
from intmod_site.request_context import current_request_id
from intmod_site.row_table import RowTable
from registry.catalog.resolution import Target
from registry.inference.calls import ChatResult, Result, Usage
from registry.inference.redaction import redact
from registry.models import InferenceRecord, MetricSample

INFERENCES = RowTable(InferenceRecord)
SAMPLES = RowTable(MetricSample)
MEASURED = MetricSample.Source.INFERENCE.value

COST_STEP = Decimal("1e-9")
"""A billionth of a dollar: one token of the cheapest models costs more."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a call ended: with a result, or with an error."""

    target: Target
    task: str
    latency_ms: float
    result: Result | None = None
    error: ApiError | None = None

    @property
    def usage(self) -> Usage:
        """Tokens that are paid for; failed calls are not."""
        return self.result.usage if self.result else Usage(0)

    @property
    def finish_reason(self) -> str | None:
        """Why the text ended; None for results that are no text."""
        return self.result.finish_reason if isinstance(self.result, ChatResult) else None

    @property
    def cost_usd(self) -> Decimal | None:
        """What it cost; None where a price is unknown, which is not the same as nothing."""
        total = Decimal(0)
        for tokens, price in (
            (self.usage.input_tokens, self.target.input_usd_per_token),
            (self.usage.output_tokens, self.target.output_usd_per_token),
        ):
            if price is None and tokens:
                return None
            total += tokens * (price or 0)
        return total.quantize(COST_STEP)


def record_call(*, principal: Principal, outcome: Outcome, request: Any, answer: Any) -> None:
    """Hand the call's row and samples to the flusher.

    Args:
        principal: Who called.
        outcome: How it ended.
        request, answer: JSON of the request and the result; kept, redacted, only where the version
            says so.
    """
    now = timezone.now()
    target, usage, error = outcome.target, outcome.usage, outcome.error
    row = INFERENCES.row(
        **_caller(principal, now),
        task=outcome.task,
        version_id=target.version_id,
        model=target.model,
        version=target.number,
        provider=target.provider,
        status=error.status if error else 200,
        error_code=error.error_code if error else "",
        finish_reason=outcome.finish_reason or "",
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cost_usd=outcome.cost_usd if outcome.result else None,
        latency_ms=outcome.latency_ms,
        request_text=_kept(target, request),
        answer_text=_kept(target, answer),
    )
    samples = [
        (
            SAMPLES,
            SAMPLES.row(
                version_id=target.version_id, metric=metric, value=value, ts=now, source=MEASURED
            ),
        )
        for metric, value in _measured(outcome)
    ]
    add_rows((INFERENCES, row), *samples)


def record_refusal(*, principal: Principal, task: str, body: Any, error: ApiError) -> None:
    """Hand over the row of a call that reached no version; there is nothing to measure it by."""
    reference = body.get("model") if isinstance(body, dict) else None
    row = INFERENCES.row(
        **_caller(principal, timezone.now()),
        task=task,
        version_id=None,
        model=reference[:200] if isinstance(reference, str) else "",
        version=None,
        provider="",
        status=error.status,
        error_code=error.error_code,
        finish_reason="",
        input_tokens=0,
        output_tokens=0,
        cost_usd=None,
        latency_ms=0.0,
        request_text=None,
        answer_text=None,
    )
    add_rows((INFERENCES, row))


def _caller(principal: Principal, now: datetime) -> dict[str, Any]:
    return {
        "created_at": now,
        "project_id": principal.project_id,
        "user_id": principal.user_id,
        "user_label": principal.label,
        "credential": principal.credential,
        "request_id": current_request_id() or "",
    }


def _measured(outcome: Outcome) -> Iterator[tuple[str, float]]:
    yield "latency_ms", outcome.latency_ms
    yield "error", float(outcome.error is not None)
    if outcome.result:
        yield "input_tokens", float(outcome.usage.input_tokens)
        yield "output_tokens", float(outcome.usage.output_tokens)
        if (cost := outcome.cost_usd) is not None:
            yield "cost_usd", float(cost)


def _kept(target: Target, content: Any) -> str | None:
    if not target.logs_bodies or content is None:
        return None
    return redact(orjson.dumps(content).decode())
