"""Answers that go out bit by bit, as server-sent events.

Source: https://html.spec.whatwg.org/multipage/server-sent-events.html.
"""

from collections.abc import Callable, Generator, Iterator

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


class EventStream(StreamingHttpResponse):
    """A stream of frames, within the request that asked for it.

    Args:
        frames: The frames in order; closed when the client goes away. It must give one every
            half second or so, a HEARTBEAT if there is nothing to say.
        close: Called once when all is over, also if no frame was ever asked for.
    """

    def __init__(self, frames: Generator[bytes], *, close: Callable[[], None]) -> None:
        super().__init__(
            _Steps(frames, close),
            content_type=MEDIA_TYPE,
            headers={
                "Cache-Control": "no-cache",
                # Proxies of nginx's kind hold answers back otherwise.
                "X-Accel-Buffering": "no",
            },
        )


class _Steps(Iterator[bytes]):
    """Enters the request again for each step: the server takes them after the middleware left."""

    def __init__(self, frames: Generator[bytes], close: Callable[[], None]) -> None:
        self._frames = frames
        self._close = close
        self._context = current_request()

    def __next__(self) -> bytes:
        enter_request(self._context)
        try:
            return next(self._frames)
        finally:
            enter_request(None)

    def close(self) -> None:
        """End it, wherever it is; Django calls this when the answer was sent or cannot be."""
        enter_request(self._context)
        try:
            self._frames.close()
        finally:
            self._close()
            enter_request(None)
