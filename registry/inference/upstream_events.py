"""The events of one target's answer while it is being made, from wherever it is made."""

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from time import monotonic

from integrations.connections.connection import Connection
from integrations.http.client import opening_stream
from integrations.http.errors import OutboundError
from integrations.http.steps import Steps
from integrations.http.stream import OutboundStream
from registry.catalog.resolution import Target
from registry.inference.attempts import STEP_S
from registry.inference.calls import ChatCall, StreamEvent
from registry.inference.guard import BeforeSending
from registry.inference.metering import Stopwatch
from registry.inference.providers import ADAPTERS, IN_PROCESS
from registry.inference.providers.adapter import Adapter, StreamParser
from registry.inference.providers.event_source import EventSource
from registry.inference.providers.upstream_errors import UpstreamError
from registry.inference.upstream import (
    built,
    connection_of,
    deadlines_within,
    failed_try,
    outbound,
    retold,
    without_key,
)

LINE_LIMIT_BYTES = 4 * 1024 * 1024
ERROR_LIMIT_BYTES = 1024 * 1024
MOST_TRAILING_LINES = 8
TRAILING_WAIT_S = 0.005


def opening_events(
    target: Target,
    call: ChatCall,
    left_s: float,
    waiting: Stopwatch,
    *,
    before_sending: BeforeSending = lambda _: None,
) -> Steps[EventSource]:
    """Ask a target for an answer in pieces, step by step; see `upstream.ask`."""
    local = IN_PROCESS.get(target.provider)
    if local is not None:
        with waiting:
            return local.stream(call, model=target.provider_model, timeout_s=left_s)
    return (yield from _opening_remotely(target, call, left_s, waiting, before_sending))


def first_token_timeout_s(target: Target, left_s: float) -> float:
    """Give the seconds that a target may take from being asked to its first text or tool call."""
    connection = target.connection
    return min(connection.deadlines.first_byte_s, left_s) if connection else left_s


def _opening_remotely(
    target: Target,
    call: ChatCall,
    left_s: float,
    waiting: Stopwatch,
    before_sending: BeforeSending,
) -> Steps["RemoteEvents"]:
    adapter, connection = ADAPTERS[target.provider], connection_of(target)
    request = built(target, call, stream=True)
    before_sending(request)
    try:
        with waiting:
            lines = yield from opening_stream(
                outbound(request, connection),
                deadlines=deadlines_within(connection, left_s),
                egress=connection.egress,
                line_limit_bytes=LINE_LIMIT_BYTES,
                step_s=STEP_S,
            )
        if not 200 <= lines.status < 300:
            raise _refusal(adapter, lines, connection)
    except OutboundError as error:
        raise failed_try(error, connection, left_s) from error
    return RemoteEvents(lines, lambda: adapter.stream_parser(call), connection, left_s)


def _refusal(adapter: Adapter, lines: OutboundStream, connection: Connection) -> Exception:
    with lines:
        said = without_key(lines.read(ERROR_LIMIT_BYTES), connection)
        return adapter.classify(lines.status, lines.headers, said)


class RemoteEvents:
    """Events of a provider behind an integration; see EventSource.

    Args:
        lines: The open answer.
        parser: Makes what reads its lines.
        connection: Where it comes from.
        left_s: What the call had left when it was asked.
    """

    def __init__(
        self,
        lines: OutboundStream,
        parser: Callable[[], StreamParser],
        connection: Connection,
        left_s: float,
    ) -> None:
        self._lines = lines
        self._new_parser = parser
        self._parser = parser()
        self._connection = connection
        self._left_s = left_s
        self._events: deque[StreamEvent] = deque()

    def take(self, wait_s: float) -> StreamEvent | None:
        """Give the next event, or None; see EventSource."""
        until_s = monotonic() + wait_s
        try:
            while not self._events:
                if not self._lines.wait(until_s - monotonic()):
                    return None
                line = next(self._lines, None)
                self._events.extend(self._parser.end() if line is None else self._fed(line))
        except OutboundError as error:
            if self._parser.finished:
                # It said why the text ends before it broke: what it owed is there.
                self._events.extend(self._parser.end())
            else:
                raise failed_try(error, self._connection, self._left_s) from error
        return self._events.popleft()

    def _fed(self, line: bytes) -> list[StreamEvent]:
        try:
            return self._parser.feed(line)
        except UpstreamError as error:
            raise retold(error, line, self._connection, self._new_parser().feed) from error

    def close(self) -> None:
        """Hang up; see EventSource. A connection whose answer is at its end is kept."""
        if self._parser.ended:
            self._read_what_trails()
        self._lines.close()

    def _read_what_trails(self) -> None:
        """Read the few bytes that end the answer after its last event, if they are there."""
        with suppress(OutboundError):
            for _ in range(MOST_TRAILING_LINES):
                if not self._lines.wait(TRAILING_WAIT_S) or next(self._lines, None) is None:
                    return
