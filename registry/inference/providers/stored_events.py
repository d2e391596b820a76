"""A complete answer as the events of a stream."""

from collections import deque

from registry.inference.calls import ChatResult, StreamEnd, StreamEvent, TextDelta, ToolCallDelta


class StoredEvents:
    """Gives an answer that is there already in pieces; see EventSource."""

    def __init__(self, result: ChatResult) -> None:
        self._events: deque[StreamEvent] = deque()
        if result.text:
            self._events.append(TextDelta(result.text))
        for index, asked in enumerate(result.tool_calls):
            self._events.append(ToolCallDelta(index, asked.arguments, asked.id, asked.name))
        self._events.append(StreamEnd(result.finish_reason, result.usage, result.model))

    def take(self, wait_s: float) -> StreamEvent:
        """Give the next event, at once."""
        return self._events.popleft()

    def close(self) -> None:
        """Do nothing: nobody is making anything."""
