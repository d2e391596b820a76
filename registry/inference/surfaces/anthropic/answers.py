"""What Anthropic's clients read: whole messages, and the events of a stream.

Source: https://platform.claude.com/docs/en/api/messages and …/build-with-claude/streaming.
"""

from collections.abc import Iterator
from typing import Any

import orjson

from registry.inference.calls import ChatResult, StreamEnd, StreamEvent, Usage
from registry.inference.surfaces.anthropic.blocks import Blocks, Event

_STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "content_filter": "refusal",
}


def usage_of(usage: Usage | None) -> dict[str, Any]:
    """Count as Anthropic does: the input without what the cache gave or took."""
    if usage is None:
        return {"input_tokens": None, "output_tokens": None}
    return {
        "input_tokens": usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cached_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "output_tokens": usage.output_tokens,
    }


def message(result: ChatResult, *, answer_id: str, model: str) -> dict[str, Any]:
    """Give a message."""
    content: list[dict[str, Any]] = []
    if result.text or not result.tool_calls:
        content.append({"type": "text", "text": result.text})
    content += [
        {"type": "tool_use", "id": call.id, "name": call.name, "input": _arguments(call.arguments)}
        for call in result.tool_calls
    ]
    return {
        "id": answer_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": _STOP_REASONS[result.finish_reason],
        "stop_sequence": None,
        "usage": usage_of(result.usage),
    }


def _arguments(text: str) -> dict[str, Any]:
    """Give a tool call's arguments; what the model wrote wrongly is given as it wrote it."""
    try:
        arguments = orjson.loads(text or "{}")
    except orjson.JSONDecodeError:
        arguments = None
    return arguments if isinstance(arguments, dict) else {"invalid_json": text}


class EventWriter:
    """Turns the events of one stream into Anthropic's, block by block.

    Args:
        answer_id, model: Of the message.
    """

    def __init__(self, *, answer_id: str, model: str) -> None:
        self._answer_id = answer_id
        self._model = model
        self._blocks = Blocks()

    def begin(self) -> Event:
        """Give the event that begins the message; its usage is told in the end."""
        return "message_start", {
            "type": "message_start",
            "message": {
                "id": self._answer_id,
                "type": "message",
                "role": "assistant",
                "model": self._model,
                "content": [],
                "stop_reason": None,
                "stop_sequence": None,
                "usage": {"input_tokens": 0, "output_tokens": 0},
            },
        }

    def events(self, event: StreamEvent) -> Iterator[Event]:
        """Give the events of one event."""
        if not isinstance(event, StreamEnd):
            yield from self._blocks.add(event)
            return
        yield from self._blocks.end()
        yield (
            "message_delta",
            {
                "type": "message_delta",
                "delta": {"stop_reason": _STOP_REASONS[event.finish_reason], "stop_sequence": None},
                "usage": usage_of(event.usage),
            },
        )
        yield "message_stop", {"type": "message_stop"}
