"""What stays of a call: one inference row. What it measured of its version is read from there."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
import orjson
from django.utils import timezone

from authz.identity.principal import Principal
from intmod_site.api.errors import ApiError
from intmod_site.flusher import add_rows
from intmod_site.redaction import redact
from intmod_site.request_context import current_request_id
from intmod_site.row_table import RowTable
from registry.catalog.resolution import Target
from registry.inference.calls import Call, ChatResult, Result, Usage
from registry.models import InferenceRecord

INFERENCES = RowTable(InferenceRecord)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How a call ended: with an answer, with an error, or with an error in its middle.

    Args:
        target: Who answered, or was called for.
        task: What was asked for.
        call: What was asked of a provider last; None if nobody was.
        latency_ms: From resolution to the end.
        usage: Tokens that are paid for; None if nobody knows.
        cost_usd: What they cost; None where a price is unknown, which is not the same as nothing.
        finish_reason: Why the text ended; None for results that are no text.
        error: What the caller got instead, or at the end, of an answer.
        is_stream: Whether the answer went out bit by bit.
        is_estimated: Whether the usage is our own guess.
        first_token_ms: Until a stream's text began.
        overhead_ms: The gateway's own part, up to the answer's first byte.
        tries: How often providers were asked.
        route: The route that it was called through, if any.
        from_cache: Whether an earlier answer was given again.
        policies: The security policies that judged it.
    """

    target: Target
    task: str
    call: Call | None = None
    latency_ms: float
    usage: Usage | None
    cost_usd: Decimal | None = None
    finish_reason: str | None = None
    error: ApiError | None = None
    is_stream: bool = False
    is_estimated: bool = False
    first_token_ms: float | None = None
    overhead_ms: float | None = None
    tries: int = 0
    route: str = ""
    from_cache: bool = False
    policies: str = ""


def record_call(
    *, principal: Principal, request_id: str, outcome: Outcome, request: Any, answer: Any
) -> None:
    """Hand the call's row to the flusher.

    Args:
        principal: Who called.
        request_id: In which request.
        outcome: How it ended.
        request, answer: JSON of the request and the answer; kept, redacted, only where the version
            says so.
    """
    now = timezone.now()
    target, usage, error = outcome.target, outcome.usage, outcome.error
    row = INFERENCES.row(
        **_caller(principal, now, request_id),
        task=outcome.task,
        version_id=target.version_id,
        model=target.model,
        route=outcome.route,
        version=target.number,
        provider=target.provider,
        policies=outcome.policies,
        status=error.status if error else 200,
        error_code=error.error_code if error else "",
        finish_reason=outcome.finish_reason or "",
        input_tokens=usage.input_tokens if usage else None,
        output_tokens=usage.output_tokens if usage else None,
        cached_tokens=usage.cached_tokens if usage else None,
        is_estimated=outcome.is_estimated,
        cost_usd=outcome.cost_usd,
        latency_ms=outcome.latency_ms,
        overhead_ms=outcome.overhead_ms,
        first_token_ms=outcome.first_token_ms,
        is_stream=outcome.is_stream,
        tries=outcome.tries,
        from_cache=outcome.from_cache,
        request_text=_kept(target, request),
        answer_text=_kept(target, answer),
    )
    add_rows((INFERENCES, row))


def record_refusal(*, principal: Principal, task: str, reference: object, error: ApiError) -> None:
    """Hand over the row of a call that reached no version; there is nothing to measure it by.

    Args:
        principal: Who called.
        task: What was asked.
        reference: What stood in the place of the model's name, whatever it is.
        error: Why it reached none.
    """
    row = INFERENCES.row(
        **_caller(principal, timezone.now(), current_request_id() or ""),
        task=task,
        version_id=None,
        model=reference[:200] if isinstance(reference, str) else "",
        route="",
        version=None,
        provider="",
        policies="",
        status=error.status,
        error_code=error.error_code,
        finish_reason="",
        input_tokens=0,
        output_tokens=0,
        cached_tokens=0,
        is_estimated=False,
        cost_usd=Decimal(0),
        latency_ms=0.0,
        overhead_ms=None,
        first_token_ms=None,
        is_stream=False,
        tries=0,
        from_cache=False,
        request_text=None,
        answer_text=None,
    )
    add_rows((INFERENCES, row))


def kept_answer(result: Result) -> Any:
    """Give the part of a result that is kept as JSON: its text, or what there is instead."""
    if isinstance(result, ChatResult):
        if not result.tool_calls:
            return result.text
        return {"text": result.text, "tool_calls": result.tool_calls}
    return result


def _caller(principal: Principal, now: datetime, request_id: str) -> dict[str, Any]:
    return {
        "created_at": now,
        "project_id": principal.project_id,
        "user_id": principal.user_id,
        "user_label": principal.label,
        "credential": principal.credential,
        "request_id": request_id,
    }


def _kept(target: Target, content: Any) -> str | None:
    if not target.logs_bodies or content is None:
        return None
    return redact(orjson.dumps(content).decode())
