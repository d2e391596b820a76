"""Anthropic's route, below /v1."""

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
from registry.inference.calls import ChatResult
from registry.inference.surfaces.anthropic import answers
from registry.inference.surfaces.anthropic.blocks import Event
from registry.inference.surfaces.anthropic.calls import chat_call, conversation
from registry.inference.surfaces.anthropic.errors import error_body, refuse
from registry.inference.surfaces.anthropic.requests import MessagesRequest
from registry.inference.surfaces.parsing import parsed
from registry.inference.surfaces.speaker import with_request_id


# `beta=true` comes from the client's `beta` part; what a beta adds is a field, refused by name.
@with_request_id
@plain_post(permission="registry.invoke_modelversion", refuse=refuse, query=("beta",))
def messages(request: HttpRequest, principal: Principal) -> HttpResponseBase:
    """Continue a conversation, at once or in events."""
    body = read_json(request)
    asked_for, turns = parsed(principal, "chat", body, MessagesRequest, conversation)
    asked = Asked(
        principal=principal,
        task="chat",
        reference=asked_for.model,
        build=lambda target: chat_call(asked_for, turns, target),
        body=body,
    )
    if asked_for.stream:
        call = gateway.stream(asked)
        return EventStream(_frames(call), close=call.close)
    answered = gateway.answer(asked)
    assert isinstance(answered.result, ChatResult)  # noqa: S101 -- what a ChatCall gives
    return HttpResponse(
        orjson.dumps(answers.message(answered.result, **_named(answered.target))),
        content_type="application/json",
    )


def _frames(call: CallStream) -> Frames:
    """Write events; only a complete answer ends in message_stop."""
    writer: answers.EventWriter | None = None
    try:
        for event in call:
            if event is None:
                yield HEARTBEAT
                continue
            if writer is None:
                writer = answers.EventWriter(**_named(call.target))
                yield _frame(writer.begin())
            for written in writer.events(event):
                yield _frame(written)
    except ApiError as error:
        call.fail(error)
        yield _frame(("error", error_body(error)))
        return False
    return True


def _frame(event: Event) -> bytes:
    name, data = event
    return frame(orjson.dumps(data), event=name)


def _named(target: Target) -> dict[str, Any]:
    return {"answer_id": f"msg_{current_request_id()}", "model": f"{target.model}:{target.number}"}
