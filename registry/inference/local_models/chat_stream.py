"""An answer that is read while it is being made."""

import threading
from collections.abc import Generator, Iterator
from queue import Empty, SimpleQueue

from registry.inference.calls import StreamEnd, StreamEvent


class ChatStream(Iterator[StreamEvent]):
    """The events of an answer, the last one a StreamEnd.

    A thread of its own makes them, as fast as it can: a reader who is slow, or has stopped
    reading, must not keep the model from others. The queue is bounded by the answer's length.

    Args:
        events: Where the events come from; iterated and closed in the thread.

    Raises:
        Exception: What is raised before the first event.
    """

    def __init__(self, events: Generator[StreamEvent]) -> None:
        self._queue: SimpleQueue[StreamEvent | BaseException] = SimpleQueue()
        self._closed = threading.Event()
        maker = threading.Thread(
            target=_make, args=(events, self._queue, self._closed), daemon=True
        )
        maker.start()
        self._first: StreamEvent | None = self._take(None)

    def __next__(self) -> StreamEvent:
        """Give the next event, as soon as it is made.

        Raises:
            StopIteration: The answer is complete, or the stream was closed.
            Exception: What is raised while the answer is made.
        """
        if self._first is None and self._closed.is_set():
            raise StopIteration
        event = self.take(None)
        assert event is not None  # noqa: S101 -- there is no end to its patience
        return event

    def take(self, wait_s: float | None) -> StreamEvent | None:
        """Give the next event, or None if there is none after so many seconds; None is for ever.

        Raises:
            Exception: What is raised while the answer is made.
        """
        if self._first is not None:
            event, self._first = self._first, None
        else:
            try:
                event = self._take(wait_s)
            except Empty:
                return None
        if isinstance(event, StreamEnd):
            self._closed.set()
        return event

    def close(self) -> None:
        """Stop the making of an answer that nobody waits for; may be called at any time."""
        self._first = None
        self._closed.set()

    def __del__(self) -> None:
        self._closed.set()

    def _take(self, wait_s: float | None) -> StreamEvent:
        event = self._queue.get(timeout=wait_s)
        if isinstance(event, BaseException):
            self._closed.set()
            raise event
        return event


def _make(
    events: Generator[StreamEvent],
    queue: "SimpleQueue[StreamEvent | BaseException]",
    closed: threading.Event,
) -> None:
    try:
        for event in events:
            if closed.is_set():
                return
            queue.put(event)
    except BaseException as error:  # noqa: BLE001 - it is raised where the answer is read
        queue.put(error)
    finally:
        events.close()
