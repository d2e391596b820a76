"""What OpenAI's clients read: whole completions, chunks, embeddings.

Source: https://platform.openai.com/docs/api-reference/chat/object, …/chat-streaming and
…/embeddings/object.
"""

import base64
import sys
from array import array
from typing import Any

from registry.inference.calls import (
    ChatResult,
    EmbedResult,
    StreamEnd,
    StreamEvent,
    TextDelta,
    ToolCallDelta,
    Usage,
)


def usage_of(usage: Usage | None) -> dict[str, Any] | None:
    """Count as OpenAI does; null where the provider did not say."""
    if usage is None:
        return None
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cached_tokens},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def completion(result: ChatResult, *, answer_id: str, model: str, created: int) -> dict[str, Any]:
    """Give a chat.completion."""
    message: dict[str, Any] = {"role": "assistant", "content": result.text, "refusal": None}
    if result.tool_calls:
        message["content"] = result.text or None
        message["tool_calls"] = [
            {
                "id": asked.id,
                "type": "function",
                "function": {"name": asked.name, "arguments": asked.arguments},
            }
            for asked in result.tool_calls
        ]
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": result.finish_reason,
    }
    return {
        "id": answer_id,
        "object": "chat.completion",
        "created": created,
        "model": model,
        "choices": [choice],
        "usage": usage_of(result.usage),
    }


class ChunkWriter:
    """Turns the events of one stream into chat.completion.chunk objects.

    Args:
        answer_id, model, created: The same in all chunks.
        with_usage: Whether the caller asked for the usage in the end.
    """

    def __init__(self, *, answer_id: str, model: str, created: int, with_usage: bool) -> None:
        self._base: dict[str, Any] = {
            "id": answer_id,
            "object": "chat.completion.chunk",
            "created": created,
            "model": model,
        }
        if with_usage:
            self._base["usage"] = None
        self._with_usage = with_usage

    def begin(self) -> dict[str, Any]:
        """Give the chunk that names the role."""
        return self._chunk({"role": "assistant", "content": "", "refusal": None})

    def chunks(self, event: StreamEvent) -> list[dict[str, Any]]:
        """Give the chunks of one event."""
        if isinstance(event, TextDelta):
            return [self._chunk({"content": event.text})]
        if isinstance(event, ToolCallDelta):
            return [self._chunk({"tool_calls": [_tool_call(event)]})]
        return self._end(event)

    def _end(self, end: StreamEnd) -> list[dict[str, Any]]:
        last = [self._chunk({}, end.finish_reason)]
        if self._with_usage:
            last.append({**self._base, "choices": [], "usage": usage_of(end.usage)})
        return last

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return {**self._base, "choices": [choice]}


def _tool_call(event: ToolCallDelta) -> dict[str, Any]:
    function: dict[str, Any] = {"arguments": event.arguments}
    if not event.id:
        return {"index": event.index, "function": function}
    return {
        "index": event.index,
        "id": event.id,
        "type": "function",
        "function": {"name": event.name, **function},
    }


def embeddings(result: EmbedResult, *, model: str, as_base64: bool) -> dict[str, Any]:
    """Give the list of embeddings; base64 is of float32, little endian."""
    vectors: list[Any] = [_base64(v) for v in result.vectors] if as_base64 else result.vectors
    tokens = result.usage.input_tokens if result.usage else None
    return {
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": vector}
            for index, vector in enumerate(vectors)
        ],
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _base64(vector: list[float]) -> str:
    floats = array("f", vector)
    if sys.byteorder == "big":
        floats.byteswap()
    return base64.b64encode(floats.tobytes()).decode()
