"""OpenAI, and whoever speaks its protocol: vLLM, Ollama, llama.cpp's server, Azure's v1 API.

The integration's base URL ends before `/chat/completions`, as the official client's does:
`https://api.openai.com/v1`, `http://localhost:11434/v1`,
`https://NAME.openai.azure.com/openai/v1`.

Source: https://platform.openai.com/docs/api-reference/chat and …/embeddings.
"""

import re
from typing import Any

import msgspec

from registry.inference.calls import (
    AnalyzeCall,
    Call,
    ChatCall,
    ChatResult,
    ClassifyCall,
    EmbedCall,
    Result,
    StreamEvent,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from registry.inference.providers import openai_embeddings, structured
from registry.inference.providers.adapter import UpstreamRequest, json_body
from registry.inference.providers.error_answers import error_from_answer, error_in
from registry.inference.providers.openai_body import chat_body, token_limit
from registry.inference.providers.sse import SseParser
from registry.inference.providers.upstream_errors import Kind, MalformedUpstream, UpstreamError

_CHAT_TASKS = frozenset({"generate", "chat", "code", "analyze", "classify"})
_EMBED_TASKS = frozenset({"embed"})
_CHATS = re.compile(r"(?:.*/)?(?:gpt-|chatgpt-|o[1-9](?:-|$))", re.IGNORECASE)
_EMBEDS = re.compile(r"embed", re.IGNORECASE)

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
_DONE = b"[DONE]"


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


class _Function(msgspec.Struct, gc=False):
    name: str | None = None
    arguments: str | None = None


class _ToolCall(msgspec.Struct, gc=False):
    function: _Function | None = None
    id: str | None = None
    index: int | None = None


class _Said(msgspec.Struct, gc=False):
    """A message, or a piece of one."""

    content: str | list[_Part] | None = None
    refusal: str | None = None
    tool_calls: list[_ToolCall] | None = None


class _Choice(msgspec.Struct, gc=False):
    index: int = 0
    message: _Said | None = None
    delta: _Said | None = None
    finish_reason: str | None = None


class _Completion(msgspec.Struct, gc=False):
    """A whole answer, or a chunk of a stream."""

    choices: list[_Choice] | None = None
    model: str | None = None
    usage: _Usage | None = None
    object: str | None = None
    error: Any = None


_COMPLETION = msgspec.json.Decoder(_Completion)


class OpenAIAdapter:
    """Speaks OpenAI's chat completions and embeddings; see Adapter."""

    classify = staticmethod(error_from_answer)

    def tasks_of(self, model: str) -> frozenset[str]:
        """Give a model's tasks by its name; an unknown name may be registered for any."""
        if _EMBEDS.search(model):
            return _EMBED_TASKS
        return _CHAT_TASKS if _CHATS.match(model) else _CHAT_TASKS | _EMBED_TASKS

    def build(
        self, call: Call, *, model: str, api_key: str | None, stream: bool
    ) -> UpstreamRequest:
        """Say what to send. Streams are always asked for their usage. See Adapter."""
        path = "/chat/completions"
        match call:
            case ChatCall():
                body = chat_body(call, model) | token_limit(call, model)
            case EmbedCall():
                path = "/embeddings"
                body = openai_embeddings.body_of(call, model)
            case ClassifyCall() | AnalyzeCall():
                # No limit: a thinking model would use it up before it answers.
                body = chat_body(structured.question(call), model)
        if stream:
            body["stream"] = True
            body["stream_options"] = {"include_usage": True}
        headers = {"content-type": "application/json"}
        if api_key:
            headers["authorization"] = f"Bearer {api_key}"
        return UpstreamRequest("POST", path, headers, json_body(body))

    def parse(self, body: bytes, call: Call) -> Result:
        """Read a 2xx answer; a refusal is its text, with the reason content_filter."""
        if isinstance(call, EmbedCall):
            return openai_embeddings.result_of(body, call)
        chat = _chat_result(_decoded(body))
        return chat if isinstance(call, ChatCall) else structured.answer(call, chat)

    def stream_parser(self, call: ChatCall) -> "OpenAIStreamParser":
        """Give a parser for one stream."""
        return OpenAIStreamParser()


class OpenAIStreamParser(SseParser):
    """Reads chat.completion.chunk events; see StreamParser."""

    def __init__(self) -> None:
        super().__init__()
        self._refused = False
        self._tool_calls = 0

    def _read(self, payload: bytes) -> list[StreamEvent]:
        if payload == _DONE:
            return self.end()
        chunk = _decoded(payload)
        if chunk.model:
            self._model = chunk.model
        if chunk.usage:
            self._usage = _usage(chunk.usage)
        events: list[StreamEvent] = []
        for choice in chunk.choices or ():
            # Only one was asked for.
            if choice.index == 0:
                self._read_choice(choice, events)
        return events

    def _read_choice(self, choice: _Choice, events: list[StreamEvent]) -> None:
        if (said := choice.delta) is not None:
            if text := _text(said):
                events.append(TextDelta(text))
            if said.refusal:
                self._refused = True
                events.append(TextDelta(said.refusal))
            if said.tool_calls:
                events.extend(self._tool_call_delta(part) for part in said.tool_calls)
        elif choice.message is not None:
            raise MalformedUpstream("A whole message came where pieces were asked for.")
        # Ollama has sent an empty reason with every chunk.
        if choice.finish_reason:
            self._finish_reason = _finish_reason(
                choice.finish_reason, refused=self._refused, calls_tools=self._tool_calls > 0
            )

    def _tool_call_delta(self, part: _ToolCall) -> ToolCallDelta:
        index = part.index
        if index is None:
            # Some servers leave it out; there an id begins the next call.
            index = self._tool_calls if part.id else max(0, self._tool_calls - 1)
        begins = index >= self._tool_calls
        self._tool_calls = max(self._tool_calls, index + 1)
        given = part.function or _Function()
        return ToolCallDelta(
            index=index,
            arguments=given.arguments or "",
            id=(part.id or f"call_{index}") if begins else "",
            name=(given.name or "") if begins else "",
        )


def _decoded(payload: bytes) -> _Completion:
    try:
        completion = _COMPLETION.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise error_in(payload) or MalformedUpstream(str(error)) from error
    if completion.error or completion.object == "error":
        raise error_in(payload) or MalformedUpstream("An error that says nothing.")
    return completion


def _chat_result(completion: _Completion) -> ChatResult:
    choice = completion.choices[0] if completion.choices else None
    if choice is None or choice.message is None or not choice.finish_reason:
        raise MalformedUpstream("The answer has no message, or does not say why it ends.")
    said = choice.message
    tool_calls = tuple(_tool_call(at, asked) for at, asked in enumerate(said.tool_calls or ()))
    return ChatResult(
        text=_text(said) or said.refusal or "",
        finish_reason=_finish_reason(
            choice.finish_reason, refused=bool(said.refusal), calls_tools=bool(tool_calls)
        ),
        usage=_usage(completion.usage) if completion.usage else Usage(0),
        tool_calls=tool_calls,
        model=completion.model or "",
    )


def _tool_call(at: int, asked: _ToolCall) -> ToolCall:
    given = asked.function or _Function()
    return ToolCall(asked.id or f"call_{at}", given.name or "", given.arguments or "{}")


def _text(said: _Said) -> str:
    if said.content is None or isinstance(said.content, str):
        return said.content or ""
    # Mistral's thinking models give parts, of which thoughts are not for the caller.
    return "".join(part.text or "" for part in said.content if part.type == "text")


def _finish_reason(reason: str, *, refused: bool, calls_tools: bool) -> str:
    if reason in _GIVEN_UP:
        raise UpstreamError(_GIVEN_UP[reason], f"finish_reason {reason}")
    if refused:
        return "content_filter"
    # Several servers say stop when a tool is called, and OpenAI does when it was forced.
    known = _FINISH_REASONS.get(reason, "stop")
    return "tool_calls" if calls_tools and known == "stop" else known


def _usage(usage: _Usage) -> Usage:
    read, written = usage.prompt_tokens_details, usage.completion_tokens_details
    return Usage(
        input_tokens=usage.prompt_tokens or 0,
        output_tokens=usage.completion_tokens or 0,
        cached_tokens=(read.cached_tokens or 0) if read else 0,
        reasoning_tokens=(written.reasoning_tokens or 0) if written else 0,
    )
