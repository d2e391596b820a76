"""What parsers of event streams share: lines to payloads, and how a stream may end.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html. Each `data` line is an
event of its own here: no provider breaks its JSON over several, and waiting for the blank line
would hold the last one back. Comments, blank lines and other fields say nothing that the JSON
does not say again.
"""

from abc import ABC, abstractmethod

from registry.inference.calls import StreamEnd, StreamEvent, Usage
from registry.inference.providers.error_answers import error_in
from registry.inference.providers.failures import Kind
from registry.inference.providers.upstream_errors import MalformedUpstream, UpstreamError

_DATA = b"data:"
# Servers that break off a stream have been seen to write their error without the `data:`.
_BARE_ERROR = (b"{", b"error:")


class SseParser(ABC):
    """Reads the lines of one stream; what their JSON means is said by the provider's subclass."""

    def __init__(self) -> None:
        self._finish_reason: str | None = None
        self._usage: Usage | None = None
        self._model = ""
        self._ended = False

    @property
    def finished(self) -> bool:
        """Whether the upstream said why the text ends."""
        return self._finish_reason is not None

    @property
    def ended(self) -> bool:
        """Whether StreamEnd was given."""
        return self._ended

    def feed(self, line: bytes) -> list[StreamEvent]:
        """Give the events of a line; see StreamParser."""
        if self._ended:
            return []
        if line.startswith(_DATA):
            payload = line[len(_DATA) :].strip()
            return self._read(payload) if payload else []
        if line.startswith(_BARE_ERROR):
            raise _bare_error(line)
        return []

    def end(self) -> list[StreamEvent]:
        """Give StreamEnd, once; see StreamParser."""
        if self._ended:
            return []
        if self._finish_reason is None:
            raise UpstreamError(Kind.STREAM_CUT)
        self._ended = True
        return [StreamEnd(self._finish_reason, self._usage, self._model)]

    @abstractmethod
    def _read(self, payload: bytes) -> list[StreamEvent]:
        """Give the events of one `data` line's payload."""


def _bare_error(line: bytes) -> UpstreamError:
    said = error_in(line.removeprefix(b"error:"))
    return said or MalformedUpstream("The answer is not an event stream.")
