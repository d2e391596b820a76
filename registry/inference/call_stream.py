"""A call's answer while it goes out, metered to its end whoever ends it."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from time import monotonic

from integrations.http.steps import Steps
from intmod_site.api.errors import ApiError
from intmod_site.database import release_connection
from registry.catalog.resolution import Target
from registry.inference.attempts import STEP_S
from registry.inference.calls import (
    ChatCall,
    ChatResult,
    StreamEnd,
    StreamEvent,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from registry.inference.candidates import TargetCandidate
from registry.inference.crashes import crashed
from registry.inference.guard import answer_limit_bytes, answer_too_long
from registry.inference.metering import Meter
from registry.inference.providers.event_source import EventSource
from registry.inference.providers.upstream_errors import UpstreamError
from registry.inference.records import Outcome, kept_answer
from registry.inference.structured_output import check_text
from registry.inference.token_estimates import estimated_usage


class ClientClosed(ApiError):
    """The caller went away before the answer was complete; nobody reads this but the record."""

    code = "client_closed"
    status = 499


@dataclass(frozen=True, slots=True)
class Opened:
    """Somebody's answer that has begun.

    Args:
        call: What they were asked.
        by: Who.
        first: Their first event: from here on there is no way back.
        source: Their events after the first.
        closing: Closes the source, and whatever else ends with the stream.
    """

    call: ChatCall
    by: TargetCandidate
    first: StreamEvent
    source: EventSource
    closing: ExitStack


Keeper = Callable[[Meter, ChatCall], Callable[[ChatResult], None] | None]


class CallStream(Iterator[StreamEvent | None]):
    """Iterate for events, the last one a StreamEnd; None says that there is none yet.

    Text that came before a failure has gone out and stands: from its first event on nobody else
    is asked. Close it in the end, whatever the end was.

    Args:
        search: Finds who answers, step by step; raises what comes of it if nobody does.
        meter: Of the call.
        keeper: From the call that is answered to what takes the whole answer if it ends well.
        patience_s: How long to wait for the first event here, where a failure is just raised.
    """

    def __init__(
        self,
        search: Steps[Opened],
        *,
        meter: Meter,
        keeper: Keeper,
        patience_s: float,
    ) -> None:
        self.meter = meter
        self.outcome: Outcome | None = None
        self._search = search
        self._keeper = keeper
        self._opened: Opened | None = None
        self._keep: Callable[[ChatResult], None] | None = None
        self._ready: deque[StreamEvent] = deque()
        self._text: list[str] = []
        self._tool_calls: dict[int, ToolCall] = {}
        self._written_bytes = 0
        self._limit_bytes: int | None = None
        until_s = monotonic() + patience_s
        while not self._step() and monotonic() < until_s:
            continue
        meter.note_overhead()

    @property
    def target(self) -> Target:
        """Who answers; before it has begun, who was called for."""
        return self.meter.target

    @property
    def result(self) -> ChatResult:
        """What has come so far, as one answer; complete after the StreamEnd."""
        outcome = self.outcome
        return ChatResult(
            text="".join(self._text),
            finish_reason=(outcome and outcome.finish_reason) or "",
            usage=outcome.usage if outcome else None,
            tool_calls=tuple(self._tool_calls[at] for at in sorted(self._tool_calls)),
        )

    def __next__(self) -> StreamEvent | None:
        """Give the next event, or None after a while without one.

        Raises:
            ApiError: The answer breaks off here.
        """
        if self.outcome is not None:
            raise StopIteration
        try:
            if self._opened is None and not self._step():
                return None
            event = self._ready.popleft() if self._ready else self._take()
            self._note(event)
        except UpstreamError as error:
            if error.trips and self._opened is not None:
                self._opened.by.breaker.failed(after_success=True)
            raise self._broken(error.to_api_error()) from error
        except ApiError as error:
            raise self._broken(error) from None
        except Exception as bug:  # noqa: BLE001 -- whatever it is, the stream ends in the open
            raise self._broken(crashed(bug)) from None
        return event

    def close(self) -> None:
        """Stop the provider, and write the record if the answer is not complete."""
        try:
            self._stop()
        finally:
            if self.outcome is None:
                self._finish_early(ClientClosed("The caller went away."))

    def fail(self, error: ApiError) -> None:
        """End it with an error that whoever shows it found, unless it has ended by itself."""
        if self.outcome is None:
            self._broken(error)

    def _step(self) -> bool:
        """Search on for somebody who answers; say whether there is one."""
        try:
            next(self._search)
        except StopIteration as found:
            opened: Opened = found.value
            self._opened = opened
            self._ready.append(opened.first)
            self._limit_bytes = answer_limit_bytes(opened.by.target)
            self._keep = self._keeper(self.meter, opened.call)
            self.meter.note_first_token()
            return True
        # A fallback may have been looked up.
        release_connection()
        return False

    def _stop(self) -> None:
        self._search.close()
        if self._opened is not None:
            self._opened.closing.close()

    def _take(self) -> StreamEvent | None:
        assert self._opened is not None  # noqa: S101 -- it has begun
        with self.meter.waiting:
            return self._opened.source.take(STEP_S)

    def _note(self, event: StreamEvent | None) -> None:
        if isinstance(event, TextDelta):
            self._text.append(event.text)
            self._written_bytes += len(event.text.encode())
        elif isinstance(event, ToolCallDelta):
            before = self._tool_calls.get(event.index, ToolCall("", "", ""))
            self._tool_calls[event.index] = ToolCall(
                before.id + event.id, before.name + event.name, before.arguments + event.arguments
            )
            self._written_bytes += len(event.arguments.encode())
        if self._limit_bytes is not None and self._written_bytes > self._limit_bytes:
            raise answer_too_long(self.target, self._limit_bytes)
        if isinstance(event, StreamEnd):
            self._end(event)

    def _end(self, end: StreamEnd) -> None:
        assert self._opened is not None  # noqa: S101 -- it has begun
        check_text(self._opened.call, "".join(self._text), end.finish_reason)
        self.outcome = self.meter.finish(
            usage=end.usage, finish_reason=end.finish_reason, answer=self._kept()
        )
        if self._keep is not None:
            self._keep(self.result)

    def _broken(self, error: ApiError) -> ApiError:
        self._stop()
        self._finish_early(error)
        return error

    def _finish_early(self, error: ApiError) -> None:
        """Whoever ended it, what was asked and written has to be paid for; nobody said how much."""
        asked = self.meter.asking
        self.outcome = self.meter.finish(
            usage=estimated_usage(asked, self._written_bytes) if asked else Usage(0),
            error=error,
            answer=self._kept(),
            is_estimated=asked is not None,
        )

    def _kept(self) -> object:
        return kept_answer(self.result) if self.target.logs_bodies else None
