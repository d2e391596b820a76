"""The six endpoints over the gateway: the request in, our envelope out, at once or in pieces."""

from typing import Any

from django.http.response import HttpResponseBase

from authz.identity.principal import Principal
from intmod_site.api.bodies import parse_body
from intmod_site.api.envelope import answer as envelope
from intmod_site.api.envelope import dump, failure, success
from intmod_site.api.errors import ApiError
from intmod_site.api.event_stream import HEARTBEAT, EventStream, Frames, frame
from registry.catalog.resolution import Target
from registry.inference import gateway
from registry.inference.asked import Asked
from registry.inference.call_stream import CallStream
from registry.inference.calls import TextDelta
from registry.inference.endpoints.endpoint import ContinuationRequest, Endpoint, ModelRequest
from registry.inference.records import Outcome, record_refusal


def serve(*, principal: Principal, endpoint: Endpoint, body: Any) -> HttpResponseBase:
    """Answer one call of a task.

    Args:
        principal: Who calls.
        endpoint: Which task.
        body: The request's JSON; with `stream` the answer is an event stream.

    Raises:
        ApiError: The request is wrong, or cannot be answered now.
    """
    request = _parsed(principal, endpoint, body)
    if isinstance(request, ContinuationRequest) and request.stream:
        call = gateway.stream(_asked(principal, endpoint, request, body))
        return EventStream(_frames(endpoint, request, call), close=call.close)
    answered = gateway.answer(_asked(principal, endpoint, request, body))
    shown = endpoint.present(request, answered.result)
    return envelope(_data(answered.target, answered.outcome, shown))


def _parsed(principal: Principal, endpoint: Endpoint, body: Any) -> ModelRequest:
    try:
        return parse_body(body, endpoint.request)
    except ApiError as refused:
        reference = body.get("model") if isinstance(body, dict) else None
        record_refusal(principal=principal, task=endpoint.task, reference=reference, error=refused)
        raise


def _asked(principal: Principal, endpoint: Endpoint, request: ModelRequest, body: Any) -> Asked:
    return Asked(
        principal=principal,
        task=endpoint.task,
        reference=request.model,
        build=lambda target: endpoint.build(request, target),
        body=body,
    )


def _frames(endpoint: Endpoint, request: ModelRequest, call: CallStream) -> Frames:
    """Write deltas, then the result or the error in the envelope that it would have had at once."""
    try:
        for event in call:
            if event is None:
                yield HEARTBEAT
            elif isinstance(event, TextDelta):
                yield frame(dump({"text": event.text}), event="delta")
    except ApiError as error:
        call.fail(error)
        yield frame(dump(failure(error)), event="error")
        return False
    if call.outcome is None:
        return False
    data = _data(call.target, call.outcome, endpoint.present(request, call.result))
    yield frame(dump(success(data)), event="result")
    return True


def _data(target: Target, outcome: Outcome, shown: Any) -> dict[str, Any]:
    usage = outcome.usage
    return {
        "result": shown,
        "model": target.model,
        "model_id": target.model_id,
        "version": target.number,
        "provider": target.provider,
        "finish_reason": outcome.finish_reason,
        "usage": {
            "input_tokens": usage.input_tokens if usage else None,
            "output_tokens": usage.output_tokens if usage else None,
        },
        "cost_usd": outcome.cost_usd,
        "latency_ms": outcome.latency_ms,
    }
