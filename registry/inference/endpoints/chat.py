"""chat: a conversation in, its next message out."""

from typing import Annotated, Literal

import msgspec

from registry.catalog.resolution import Target
from registry.inference.calls import ChatCall, ChatResult, Message
from registry.inference.endpoints.endpoint import (
    ContinuationRequest,
    Endpoint,
    Text,
    continuation,
    with_system,
)


class ChatMessage(msgspec.Struct, forbid_unknown_fields=True):
    """One turn."""

    role: Literal["system", "user", "assistant"]
    content: Text


class ChatRequest(ContinuationRequest, kw_only=True):
    """A conversation, and how to continue it."""

    messages: Annotated[list[ChatMessage], msgspec.Meta(min_length=1, max_length=2000)]


def build(request: ChatRequest, target: Target) -> ChatCall:
    """Take the messages over; the version's system prompt stands in where they have none."""
    messages = [Message(message.role, message.content) for message in request.messages]
    if not any(message.role == "system" for message in messages):
        messages = with_system(messages, None, target)
    return continuation(request, target, messages)


def present(request: ChatRequest, result: ChatResult) -> dict[str, str]:  # noqa: ARG001
    """Give the next message."""
    return {"role": "assistant", "content": result.text}


CHAT = Endpoint(
    task="chat",
    summary="Continue a conversation.",
    request=ChatRequest,
    build=build,
    present=present,
    result_schema={
        "type": "object",
        "required": ["role", "content"],
        "properties": {"role": {"const": "assistant"}, "content": {"type": "string"}},
    },
)
