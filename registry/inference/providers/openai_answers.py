"""What OpenAI's chat completions answer, whole or in chunks, to what we call it.

Source: https://platform.openai.com/docs/api-reference/chat/object and …/chat-streaming.
"""

from typing import Annotated, Any

import msgspec

from registry.inference.calls import ChatResult, ToolCall, Usage
from registry.inference.providers.error_answers import error_in
from registry.inference.providers.failures import Kind
from registry.inference.providers.reading import UNREADABLE, plausible
from registry.inference.providers.upstream_errors import MalformedUpstream, UpstreamError

_FINISH_REASONS = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
    "function_call": "tool_calls",
    # Mistral
    "model_length": "length",
}
# The upstream gave up, whatever the status says: vLLM, OpenRouter, DeepSeek.
_GIVEN_UP = {
    "abort": Kind.STREAM_CUT,
    "error": Kind.SERVER_ERROR,
    "insufficient_system_resource": Kind.OVERLOADED,
}


MOST_TOOL_CALLS = 10_000


class _Details(msgspec.Struct, gc=False):
    cached_tokens: int | None = 0
    reasoning_tokens: int | None = 0


class _Usage(msgspec.Struct, gc=False):
    prompt_tokens: int | None = 0
    completion_tokens: int | None = 0
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None


class _Part(msgspec.Struct, gc=False):
    type: str = ""
    text: str | None = None


class Function(msgspec.Struct, gc=False):
    """What a tool call calls."""

    name: str | None = None
    arguments: str | None = None


class ToolCallPart(msgspec.Struct, gc=False):
    """A tool call, or a piece of one."""

    function: Function | None = None
    id: str | None = None
    index: Annotated[int, msgspec.Meta(ge=0, le=MOST_TOOL_CALLS)] | None = None


class Said(msgspec.Struct, gc=False):
    """A message, or a piece of one."""

    content: str | list[_Part] | None = None
    refusal: str | None = None
    tool_calls: list[ToolCallPart] | None = None


class Choice(msgspec.Struct, gc=False):
    """One of the alternative answers; we only ever ask for one."""

    index: int = 0
    message: Said | None = None
    delta: Said | None = None
    finish_reason: str | None = None


class Completion(msgspec.Struct, gc=False):
    """A whole answer, or a chunk of a stream."""

    choices: list[Choice] | None = None
    model: str | None = None
    usage: _Usage | None = None
    object: str | None = None
    error: Any = None


_COMPLETION = msgspec.json.Decoder(Completion)


def decoded(payload: bytes) -> Completion:
    """Read an answer or a chunk.

    Raises:
        MalformedUpstream: It is neither.
        UpstreamError: It is an error.
    """
    try:
        completion = _COMPLETION.decode(payload)
    except UNREADABLE as error:
        raise error_in(payload) or MalformedUpstream(str(error)) from error
    if completion.error or completion.object == "error":
        raise error_in(payload) or MalformedUpstream("An error that says nothing.")
    return completion


def chat_result(completion: Completion) -> ChatResult:
    """Give the result of a whole answer.

    Raises:
        MalformedUpstream: It has no message, or no reason for its end.
        UpstreamError: The reason is a failure.
    """
    choice = completion.choices[0] if completion.choices else None
    if choice is None or choice.message is None or not choice.finish_reason:
        raise MalformedUpstream("The answer has no message, or does not say why it ends.")
    said = choice.message
    tool_calls = tuple(_tool_call(at, asked) for at, asked in enumerate(said.tool_calls or ()))
    return ChatResult(
        text=text_of(said) or said.refusal or "",
        finish_reason=finish_reason_of(
            choice.finish_reason, refused=bool(said.refusal), calls_tools=bool(tool_calls)
        ),
        usage=usage_of(completion.usage) if completion.usage else None,
        tool_calls=tool_calls,
        model=completion.model or "",
    )


def _tool_call(at: int, asked: ToolCallPart) -> ToolCall:
    given = asked.function or Function()
    return ToolCall(asked.id or f"call_{at}", given.name or "", given.arguments or "{}")


def text_of(said: Said) -> str:
    """Give the text for the caller; thoughts are not."""
    if said.content is None or isinstance(said.content, str):
        return said.content or ""
    # Mistral's thinking models give parts, some of them thoughts.
    return "".join(part.text or "" for part in said.content if part.type == "text")


def finish_reason_of(reason: str, *, refused: bool, calls_tools: bool) -> str:
    """Give our word for why the text ends.

    Raises:
        UpstreamError: It ends because the upstream failed.
    """
    if reason in _GIVEN_UP:
        raise UpstreamError(_GIVEN_UP[reason], f"finish_reason {reason}")
    if refused:
        return "content_filter"
    # Several servers say stop when a tool is called, and OpenAI does when it was forced.
    known = _FINISH_REASONS.get(reason, "stop")
    return "tool_calls" if calls_tools and known == "stop" else known


def usage_of(usage: _Usage) -> Usage | None:
    """Count as we do, which is as OpenAI does; None for numbers that cannot be."""
    read, written = usage.prompt_tokens_details, usage.completion_tokens_details
    return plausible(
        Usage(
            input_tokens=usage.prompt_tokens or 0,
            output_tokens=usage.completion_tokens or 0,
            cached_tokens=(read.cached_tokens or 0) if read else 0,
            reasoning_tokens=(written.reasoning_tokens or 0) if written else 0,
        )
    )
