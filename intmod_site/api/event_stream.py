"""Answers that go out bit by bit, as server-sent events.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html.
"""

from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack

from django.http import StreamingHttpResponse

from intmod_site.request_context import current_request, enter_request

MEDIA_TYPE = "text/event-stream"

HEARTBEAT = b": \n\n"
"""A comment: it says nothing, but only by writing does a server learn that the client left."""


def frame(data: bytes, *, event: str | None = None) -> bytes:
    """Write one event; `data` is JSON, which has no line break of its own."""
    if event is None:
        return b"data: " + data + b"\n\n"
    return b"event: " + event.encode() + b"\ndata: " + data + b"\n\n"


Frames = Generator[bytes, None, bool]
"""The frames of a stream; returns whether it ended well, so that its answer stands."""

Over = Callable[[bytes | None], None]


class EventStream(StreamingHttpResponse):
    """A stream of frames, within the request that asked for it.

    Args:
        frames: The frames in order; closed when the client goes away. It must give one every
            half second or so, a HEARTBEAT if there is nothing to say.
        close: Called once when all is over, also if no frame was ever asked for.
    """

    def __init__(self, frames: Frames, *, close: Callable[[], None]) -> None:
        self._steps = _Steps(frames, close)
        super().__init__(
            self._steps,
            content_type=MEDIA_TYPE,
            headers={
                "Cache-Control": "no-cache",
                # Proxies of nginx's kind hold answers back otherwise.
                "X-Accel-Buffering": "no",
            },
        )

    def when_over(self, tell: Over) -> None:
        """Call `tell` once in the end: with all that was sent if it ended well, else with None."""
        self._steps.tell = tell


class _Steps(Iterator[bytes]):
    """Enters the request again for each step: the server takes them after the middleware left.

    A forgotten stream is closed wherever its memory is freed, which may be amid another request:
    each step leaves the thread where it was.
    """

    def __init__(self, frames: Frames, close: Callable[[], None]) -> None:
        self.tell: Over | None = None
        self._frames = frames
        self._close = close
        self._context = current_request()
        self._sent: list[bytes] = []

    def __next__(self) -> bytes:
        before = current_request()
        enter_request(self._context)
        try:
            step = next(self._frames)
        except StopIteration as end:
            self._tell(b"".join(self._sent) if end.value else None)
            raise
        finally:
            enter_request(before)
        if self.tell is not None and step is not HEARTBEAT:
            self._sent.append(step)
        return step

    def close(self) -> None:
        """End it, wherever it is; Django calls this when the answer was sent or cannot be."""
        before = current_request()
        enter_request(self._context)
        with ExitStack() as closing:
            # Each of them, whatever the others raise.
            closing.callback(enter_request, before)
            closing.callback(self._tell, None)
            closing.callback(self._close)
            closing.callback(self._frames.close)

    def _tell(self, sent: bytes | None) -> None:
        tell, self.tell = self.tell, None
        if tell is not None:
            tell(sent)
