"""The one call path: from a checked request to an answer, with everything on record."""

import time
from typing import Any

import msgspec

from authz.identity.principal import Principal
from intmod_site.api.errors import ApiError, InternalError
from intmod_site.database import release_connection
from registry.catalog.resolution import Target, resolve
from registry.inference.attempts import first_answer
from registry.inference.bodies import parse_body
from registry.inference.candidates import candidates
from registry.inference.endpoints.endpoint import Endpoint
from registry.inference.records import Outcome, record_call, record_refusal
from registry.inference.upstream import ask

LOCAL_DEADLINE_S = 120.0


def answer_call(*, principal: Principal, endpoint: Endpoint, body: Any) -> dict[str, Any]:
    """Answer one call of a task.

    Args:
        principal: Who calls.
        endpoint: Which task.
        body: The request's JSON.

    Returns:
        `data` of the answer: result, model, version, provider, finish_reason, usage, cost_usd,
        latency_ms.

    Raises:
        ApiError: The request is wrong, or cannot be answered now.
    """
    try:
        request = parse_body(body, endpoint.request)
        target = resolve(
            snapshot=principal.snapshot,
            project_id=principal.project_id,
            reference=request.model,
            task=endpoint.task,
        )
    except ApiError as refused:
        record_refusal(principal=principal, task=endpoint.task, body=body, error=refused)
        raise
    began = time.perf_counter()
    answered_by, result, shown, error = target, None, None, None
    try:
        release_connection()
        answered = first_answer(
            candidates(
                target=target,
                snapshot=principal.snapshot,
                project_id=principal.project_id,
                task=endpoint.task,
            ),
            lambda candidate, left_s: ask(
                candidate.target, endpoint.build(request, candidate.target), left_s
            ),
            deadline_s=_deadline_s(target),
        )
        answered_by, result = answered.by.target, answered.answer
        shown = endpoint.present(request, result)
    except ApiError as raised:
        error = raised
        raise
    except Exception:
        error = InternalError("The provider's adapter failed.")
        raise
    finally:
        outcome = Outcome(
            target=answered_by,
            task=endpoint.task,
            latency_ms=round((time.perf_counter() - began) * 1000, 3),
            result=None if error else result,
            error=error,
        )
        record_call(
            principal=principal,
            outcome=outcome,
            request=msgspec.to_builtins(request) if answered_by.logs_bodies else None,
            answer=shown,
        )
    return _data(answered_by, outcome, shown)


def _deadline_s(target: Target) -> float:
    """Everything together may take what the integration of the one called for allows."""
    return target.connection.deadlines.total_s if target.connection else LOCAL_DEADLINE_S


def _data(target: Target, outcome: Outcome, shown: Any) -> dict[str, Any]:
    return {
        "result": shown,
        "model": target.model,
        "model_id": target.model_id,
        "version": target.number,
        "provider": target.provider,
        "finish_reason": outcome.finish_reason,
        "usage": {
            "input_tokens": outcome.usage.input_tokens,
            "output_tokens": outcome.usage.output_tokens,
        },
        "cost_usd": outcome.cost_usd,
        "latency_ms": outcome.latency_ms,
    }
