"""OpenAI, and whoever speaks its protocol: vLLM, Ollama, llama.cpp's server, Azure's v1 API.

The integration's base URL ends before `/chat/completions`, as the official client's does:
`https://api.openai.com/v1`, `http://localhost:11434/v1`,
`https://NAME.openai.azure.com/openai/v1`.

Source: https://platform.openai.com/docs/api-reference/chat and …/embeddings.
"""

import re

from registry.inference.calls import (
    AnalyzeCall,
    Call,
    ChatCall,
    ClassifyCall,
    EmbedCall,
    Result,
    StreamEvent,
    TextDelta,
    ToolCallDelta,
)
from registry.inference.providers import openai_embeddings, structured
from registry.inference.providers.adapter import UpstreamRequest, json_body
from registry.inference.providers.error_answers import error_from_answer
from registry.inference.providers.openai_answers import (
    Choice,
    Function,
    ToolCallPart,
    chat_result,
    decoded,
    finish_reason_of,
    text_of,
    usage_of,
)
from registry.inference.providers.openai_body import chat_body, token_limit
from registry.inference.providers.sse import SseParser
from registry.inference.providers.upstream_errors import MalformedUpstream

_CHAT_TASKS = frozenset({"generate", "chat", "code", "analyze", "classify"})
_EMBED_TASKS = frozenset({"embed"})
_CHATS = re.compile(r"(?:.*/)?(?:gpt-|chatgpt-|o[1-9](?:-|$))", re.IGNORECASE)
_EMBEDS = re.compile(r"embed", re.IGNORECASE)
_DONE = b"[DONE]"


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
        chat = chat_result(decoded(body))
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
        chunk = decoded(payload)
        if chunk.model:
            self._model = chunk.model
        if chunk.usage:
            self._usage = usage_of(chunk.usage)
        events: list[StreamEvent] = []
        for choice in chunk.choices or ():
            # Only one was asked for.
            if choice.index == 0:
                self._read_choice(choice, events)
        return events

    def _read_choice(self, choice: Choice, events: list[StreamEvent]) -> None:
        if (said := choice.delta) is not None:
            if text := text_of(said):
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
            self._finish_reason = finish_reason_of(
                choice.finish_reason, refused=self._refused, calls_tools=self._tool_calls > 0
            )

    def _tool_call_delta(self, part: ToolCallPart) -> ToolCallDelta:
        index = part.index
        if index is None:
            # Some servers leave it out; there an id begins the next call.
            index = self._tool_calls if part.id else max(0, self._tool_calls - 1)
        begins = index >= self._tool_calls
        self._tool_calls = max(self._tool_calls, index + 1)
        given = part.function or Function()
        return ToolCallDelta(
            index=index,
            arguments=given.arguments or "",
            id=(part.id or f"call_{index}") if begins else "",
            name=(given.name or "") if begins else "",
        )
