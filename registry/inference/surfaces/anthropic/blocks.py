"""The blocks of a streamed message, one after another.

Providers of OpenAI's protocol may write several tool calls at once; Anthropic's clients read one
block at a time. Whatever comes for a later block waits here until the open one is complete.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

from registry.inference.calls import TextDelta, ToolCallDelta
from registry.inference.providers.upstream_errors import MalformedUpstream

Event = tuple[str, dict[str, Any]]


@dataclass(slots=True, eq=False)
class _Block:
    index: int
    start: dict[str, Any]
    tool: int | None = None
    waiting: list[str] = field(default_factory=list)
    arguments: list[str] = field(default_factory=list)
    complete: bool | None = None

    def is_complete(self) -> bool:
        """Say whether nothing can follow: a text when something else began, a call as JSON."""
        if self.complete is None:
            self.complete = self.tool is None or _is_object(self.arguments)
        return self.complete

    def flush(self) -> Iterator[Event]:
        """Give the events of what waits."""
        waiting, self.waiting = self.waiting, []
        if self.tool is None:
            deltas = [{"type": "text_delta", "text": piece} for piece in waiting]
        else:
            deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in waiting]
            self.arguments += waiting
            self.complete = None
        for delta in deltas:
            yield _event("content_block_delta", self.index, delta=delta)


class Blocks:
    """Puts pieces into blocks, of which one is open at a time."""

    def __init__(self) -> None:
        self._count = 0
        self._open: _Block | None = None
        self._later: deque[_Block] = deque()
        self._tools: dict[int, _Block] = {}

    def add(self, piece: TextDelta | ToolCallDelta) -> Iterator[Event]:
        """Give the events of a piece, and of those that waited for it.

        Raises:
            ApiError: It belongs to a call that was complete.
        """
        if isinstance(piece, TextDelta):
            block, said = self._text(), piece.text
        else:
            block, said = self._tool(piece), piece.arguments
        if block is self._open or block in self._later:
            if said:
                block.waiting.append(said)
        elif said.strip():
            raise MalformedUpstream("A tool call went on after its end.").to_api_error()
        yield from self._advance()

    def end(self) -> Iterator[Event]:
        """Give what is left, whole or not: nothing follows."""
        while self._open or self._later:
            yield from self._next()

    def _text(self) -> _Block:
        last = self._later[-1] if self._later else self._open
        if last is not None and last.tool is None:
            return last
        return self._new({"type": "text", "text": ""})

    def _tool(self, piece: ToolCallDelta) -> _Block:
        block = self._tools.get(piece.index)
        if block is None:
            start = {"type": "tool_use", "id": piece.id, "name": piece.name, "input": {}}
            block = self._tools[piece.index] = self._new(start, piece.index)
        return block

    def _new(self, start: dict[str, Any], tool: int | None = None) -> _Block:
        block = _Block(self._count, start, tool)
        self._count += 1
        self._later.append(block)
        return block

    def _advance(self) -> Iterator[Event]:
        if self._open is not None:
            yield from self._open.flush()
        while self._later and (self._open is None or self._open.is_complete()):
            yield from self._next()

    def _next(self) -> Iterator[Event]:
        """Close the open block and open the one after it."""
        if self._open is not None:
            yield _event("content_block_stop", self._open.index)
        self._open = self._later.popleft() if self._later else None
        if self._open is not None:
            yield _event("content_block_start", self._open.index, content_block=self._open.start)
            yield from self._open.flush()


def _event(name: str, index: int, **more: Any) -> Event:
    return name, {"type": name, "index": index, **more}


def _is_object(pieces: list[str]) -> bool:
    # Reading it all again for each piece would take its time.
    if not pieces or not pieces[-1].rstrip().endswith("}"):
        return False
    try:
        orjson.loads("".join(pieces))
    except orjson.JSONDecodeError:
        return False
    return True
