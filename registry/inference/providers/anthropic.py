"""Anthropic's messages API. The integration's base URL is `https://api.anthropic.com`.

A `response_schema` becomes `output_config.format`, which models from Claude 4.5 on are held to
while they write; it goes together with tools and streams as plain text, which a forced tool would
not. Older models refuse it with a 400.

What Anthropic does not have: `seed` is left out, a temperature above 1 is 1, a JSON object without
a schema is asked for in words, embeddings are refused.

Source: https://platform.claude.com/docs/en/api/messages, …/build-with-claude/streaming and
…/build-with-claude/structured-outputs.
"""

import msgspec

from intmod_site.api.errors import ValidationFailed
from registry.inference.calls import (
    Call,
    ChatCall,
    ChatResult,
    EmbedCall,
    Result,
    StreamEvent,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from registry.inference.providers import structured
from registry.inference.providers.adapter import UpstreamRequest, json_body
from registry.inference.providers.anthropic_body import body_of
from registry.inference.providers.error_answers import error_from_answer, error_in
from registry.inference.providers.reading import UNREADABLE, plausible
from registry.inference.providers.sse import SseParser
from registry.inference.providers.upstream_errors import MalformedUpstream

VERSION = "2023-06-01"

_TASKS = frozenset({"generate", "chat", "code", "analyze", "classify"})
# pause_turn, which belongs to Anthropic's own tools, and reasons yet to come are an ordinary end.
_FINISH_REASONS = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


class _Usage(msgspec.Struct, gc=False):
    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None


class _Block(msgspec.Struct, gc=False):
    """A block of content, or a piece of one."""

    type: str = ""
    text: str | None = None
    id: str | None = None
    name: str | None = None
    input: msgspec.Raw = msgspec.Raw(b"{}")
    partial_json: str | None = None
    stop_reason: str | None = None


class _Message(msgspec.Struct, gc=False):
    type: str = ""
    content: list[_Block] = []
    model: str | None = None
    stop_reason: str | None = None
    usage: _Usage | None = None


class _Event(msgspec.Struct, gc=False):
    type: str
    index: int = 0
    message: _Message | None = None
    content_block: _Block | None = None
    delta: _Block | None = None
    usage: _Usage | None = None


_MESSAGE = msgspec.json.Decoder(_Message)
_EVENT = msgspec.json.Decoder(_Event)


class AnthropicAdapter:
    """Speaks the messages API; see Adapter."""

    classify = staticmethod(error_from_answer)

    def tasks_of(self, model: str) -> frozenset[str]:
        """Give the tasks of any of its models."""
        return _TASKS

    def build(
        self, call: Call, *, model: str, api_key: str | None, stream: bool
    ) -> UpstreamRequest:
        """Say what to send; see Adapter."""
        if isinstance(call, EmbedCall):
            raise ValidationFailed.of("model", "Anthropic's models do not embed.")
        chat = call if isinstance(call, ChatCall) else structured.question(call)
        body = body_of(chat, model)
        if stream:
            body["stream"] = True
        headers = {"content-type": "application/json", "anthropic-version": VERSION}
        if api_key:
            headers["x-api-key"] = api_key
        return UpstreamRequest("POST", "/v1/messages", headers, json_body(body))

    def parse(self, body: bytes, call: Call) -> Result:
        """Read a 2xx answer; thoughts are left out."""
        try:
            message = _MESSAGE.decode(body)
        except UNREADABLE as error:
            raise error_in(body) or MalformedUpstream(str(error)) from error
        if message.stop_reason is None:
            raise error_in(body) or MalformedUpstream("The answer does not say why it ends.")
        chat = _chat_result(message, message.stop_reason)
        if isinstance(call, ChatCall | EmbedCall):
            return chat
        return structured.answer(call, chat)

    def stream_parser(self, call: ChatCall) -> "AnthropicStreamParser":
        """Give a parser for one stream."""
        return AnthropicStreamParser()


class AnthropicStreamParser(SseParser):
    """Reads message_start to message_stop; see StreamParser. Unknown events are passed over."""

    def __init__(self) -> None:
        super().__init__()
        self._counted = _Usage()
        # From a block's index to its tool call's, of those that are calls.
        self._tool_calls: dict[int, int] = {}
        self._without_arguments: set[int] = set()

    def _read(self, payload: bytes) -> list[StreamEvent]:
        try:
            event = _EVENT.decode(payload)
        except UNREADABLE as error:
            raise error_in(payload) or MalformedUpstream(str(error)) from error
        match event.type:
            case "content_block_delta":
                return self._piece(event.index, event.delta or _Block())
            case "content_block_start":
                return self._begin(event.index, event.content_block or _Block())
            case "content_block_stop" if event.index in self._without_arguments:
                return [ToolCallDelta(self._tool_calls[event.index], "{}")]
            case "message_start" if event.message:
                self._model = event.message.model or ""
                self._count(event.message.usage)
            case "message_delta":
                self._count(event.usage)
                if event.delta and event.delta.stop_reason:
                    self._finish_reason = _FINISH_REASONS.get(event.delta.stop_reason, "stop")
            case "message_stop":
                return self.end()
            case "error":
                raise error_in(payload) or MalformedUpstream("An error that says nothing.")
        return []

    def _begin(self, index: int, block: _Block) -> list[StreamEvent]:
        if block.type == "tool_use":
            self._tool_calls[index] = call = len(self._tool_calls)
            self._without_arguments.add(index)
            return [ToolCallDelta(call, "", block.id or f"call_{call}", block.name or "")]
        return [TextDelta(block.text)] if block.type == "text" and block.text else []

    def _piece(self, index: int, piece: _Block) -> list[StreamEvent]:
        if piece.type == "text_delta":
            return [TextDelta(piece.text)] if piece.text else []
        if piece.type == "input_json_delta" and piece.partial_json and index in self._tool_calls:
            self._without_arguments.discard(index)
            return [ToolCallDelta(self._tool_calls[index], piece.partial_json)]
        return []

    def _count(self, usage: _Usage | None) -> None:
        """Take over what an event counts; each number is the total so far."""
        if usage is None:
            return
        for name in _Usage.__struct_fields__:
            if (count := getattr(usage, name)) is not None:
                setattr(self._counted, name, count)
        self._usage = _usage(self._counted)


def _chat_result(message: _Message, stop_reason: str) -> ChatResult:
    return ChatResult(
        text="".join(block.text or "" for block in message.content if block.type == "text"),
        finish_reason=_FINISH_REASONS.get(stop_reason, "stop"),
        usage=_usage(message.usage) if message.usage else None,
        tool_calls=tuple(
            ToolCall(block.id or f"call_{at}", block.name or "", _arguments(block.input))
            for at, block in enumerate(message.content)
            if block.type == "tool_use"
        ),
        model=message.model or "",
    )


def _arguments(given: msgspec.Raw) -> str:
    # What is taken over as it is was not looked at.
    try:
        return bytes(given).decode()
    except UnicodeDecodeError as error:
        raise MalformedUpstream(str(error)) from error


def _usage(usage: _Usage) -> Usage | None:
    """Count as we do: Anthropic's input_tokens are only those that its cache had no part in."""
    cached, written = usage.cache_read_input_tokens or 0, usage.cache_creation_input_tokens or 0
    return plausible(
        Usage(
            input_tokens=(usage.input_tokens or 0) + cached + written,
            output_tokens=usage.output_tokens or 0,
            cached_tokens=cached,
            cache_write_tokens=written,
        )
    )
