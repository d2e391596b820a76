"""OpenAI's routes, below /v1."""

import time
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from authz.api.plain import plain_post
from authz.identity.principal import Principal
from intmod_site.api.errors import ApiError
from intmod_site.api.event_stream import HEARTBEAT, EventStream, Frames, frame
from intmod_site.api.parser import read_json
from intmod_site.request_context import current_request_id
from registry.catalog.resolution import Target
from registry.inference import gateway
from registry.inference.asked import Asked
from registry.inference.call_stream import CallStream
from registry.inference.calls import ChatResult, EmbedResult
from registry.inference.surfaces.openai import answers, calls
from registry.inference.surfaces.openai.errors import error_body, refuse
from registry.inference.surfaces.openai.requests import ChatCompletionRequest, EmbeddingRequest
from registry.inference.surfaces.parsing import parsed

INVOKE = "registry.invoke_modelversion"
DONE = frame(b"[DONE]")


@plain_post(permission=INVOKE, refuse=refuse)
def chat_completions(request: HttpRequest, principal: Principal) -> HttpResponseBase:
    """Continue a conversation, at once or in chunks."""
    body = read_json(request)
    asked_for, _ = parsed(principal, "chat", body, ChatCompletionRequest, calls.check)
    asked = Asked(
        principal=principal,
        task="chat",
        reference=asked_for.model,
        build=lambda target: calls.chat_call(asked_for, target),
        body=body,
    )
    if asked_for.stream:
        call = gateway.stream(asked)
        options = asked_for.stream_options
        with_usage = bool(options and options.include_usage)
        return EventStream(_frames(call, with_usage=with_usage), close=call.close)
    answered = gateway.answer(asked)
    assert isinstance(answered.result, ChatResult)  # noqa: S101 -- what a ChatCall gives
    return _json(answers.completion(answered.result, **_named(answered.target)))


@plain_post(permission=INVOKE, refuse=refuse)
def embeddings(request: HttpRequest, principal: Principal) -> HttpResponseBase:
    """Embed texts."""
    body = read_json(request)
    asked_for, call = parsed(principal, "embed", body, EmbeddingRequest, calls.embed_call)
    answered = gateway.answer(
        Asked(
            principal=principal,
            task="embed",
            reference=asked_for.model,
            build=lambda target: call,  # noqa: ARG005
            body=body,
        )
    )
    assert isinstance(answered.result, EmbedResult)  # noqa: S101 -- what an EmbedCall gives
    as_base64 = asked_for.encoding_format == "base64"
    model = _model(answered.target)
    return _json(answers.embeddings(answered.result, model=model, as_base64=as_base64))


def _frames(call: CallStream, *, with_usage: bool) -> Frames:
    """Write chunks; only a complete answer is followed by [DONE]."""
    writer: answers.ChunkWriter | None = None
    try:
        for event in call:
            if event is None:
                yield HEARTBEAT
                continue
            if writer is None:
                writer = answers.ChunkWriter(**_named(call.target), with_usage=with_usage)
                yield frame(orjson.dumps(writer.begin()))
            for chunk in writer.chunks(event):
                yield frame(orjson.dumps(chunk))
    except ApiError as error:
        call.fail(error)
        yield frame(orjson.dumps(error_body(error)))
        return False
    yield DONE
    return True


def _named(target: Target) -> dict[str, Any]:
    return {
        "answer_id": f"chatcmpl-{current_request_id()}",
        "model": _model(target),
        "created": int(time.time()),
    }


def _model(target: Target) -> str:
    """Name who answered, in a way that can be called again."""
    return f"{target.model}:{target.number}"


def _json(value: dict[str, Any]) -> HttpResponse:
    return HttpResponse(orjson.dumps(value), content_type="application/json")
