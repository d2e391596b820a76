"""An answer that is read while it is still being written, line by line."""

import threading
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic
from types import TracebackType
from typing import Self

from integrations.http.countdown import Countdown
from integrations.http.errors import LineTooLong, StreamClosed
from integrations.http.exchange import Exchange


class OutboundStream:
    """Iterate for lines as bytes without their end (LF or CR LF); leave the `with` to close.

    One thread reads. `close` may come from any thread, and ends a read that waits.

    Args:
        status: Of the answer; an error's body is better read with `read`.
        headers: By name in any case.
        exchange: Has read the head.
        countdown: The call's deadlines.
        line_limit_bytes: The longest line, its end not counted.
    """

    def __init__(
        self,
        status: int,
        headers: Mapping[str, str],
        *,
        exchange: Exchange,
        countdown: Countdown,
        line_limit_bytes: int,
    ) -> None:
        self.status = status
        self.headers = headers
        self._exchange = exchange
        self._countdown = countdown
        self._line_limit_bytes = line_limit_bytes
        self._lines: deque[bytes] = deque()
        self._rest = bytearray()
        self._begun = False
        self._awaits_line = False
        # Guards the three below; the connection is released once, and never under a reader.
        self._lock = threading.Lock()
        self._reading = False
        self._closed = False
        self._released = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        """Give the next line.

        Raises:
            StreamClosed: `close` was called.
            LineTooLong: The line has more bytes than the limit.
            OutboundError: What `Exchange.read_some` raises.
        """
        if self._closed or not self._lines:
            with self._reader():
                self._read_lines()
        if not self._lines:
            raise StopIteration
        return self._lines.popleft()

    def wait(self, wait_s: float) -> bool:
        """Wait for the next line, at most so long; say whether `next` would not wait.

        Args:
            wait_s: Seconds, from zero. The deadlines run on over any number of waits.

        Raises:
            OutboundError: As iterating.
        """
        if self._lines and not self._closed:
            return True
        with self._reader():
            return self._read_lines(until=monotonic() + wait_s)

    def read(self, limit_bytes: int) -> bytes:
        """Give the whole body instead of lines.

        Raises:
            BodyTooLarge: It is longer than `limit_bytes`.
            OutboundError: As iterating.
        """
        with self._reader():
            body = self._exchange.read_all(limit_bytes)
            self._release()
        return body

    def close(self) -> None:
        """End the stream now; closing twice is fine."""
        with self._lock:
            self._closed = True
            if self._released:
                return
            if self._reading:
                # The reader wakes up and releases: its descriptor must not go away under it.
                self._exchange.interrupt()
                return
            self._released = True
        self._exchange.release()

    @contextmanager
    def _reader(self) -> Iterator[None]:
        with self._lock:
            if self._closed:
                raise StreamClosed("The stream was closed.")
            self._reading = True
        whole = False
        try:
            yield
            whole = True
        finally:
            with self._lock:
                self._reading = False
                closed = self._closed
                # After a failure there is no going on, and no proper end either.
                self._closed = closed or not whole
            if self._closed:
                self._lines.clear()
                self._release()
            if closed:
                # Whatever the broken connection looked like, even a proper end: we broke it.
                raise StreamClosed("The stream was closed.") from None

    def _read_lines(self, until: float | None = None) -> bool:
        """Read until there is a line or the end; False if the moment `until` came first."""
        if self._released:
            return True
        if self._begun and not self._awaits_line:
            self._countdown.expect_line()
        self._awaits_line = True
        while not self._lines:
            if until is not None and not self._exchange.wait(until - monotonic()):
                return False
            chunk = self._exchange.read_some()
            if not self._begun:
                self._begun = True
                self._countdown.expect_line()
            if not chunk:
                self._release()
                if self._rest:
                    self._lines.append(bytes(self._rest))
                    self._rest.clear()
                return True
            self._split(chunk)
        self._awaits_line = False
        return True

    def _split(self, chunk: bytes) -> None:
        *ended, rest = chunk.split(b"\n")
        for line in ended:
            whole = bytes(self._rest) + line if self._rest else line
            self._rest.clear()
            self._lines.append(whole.removesuffix(b"\r"))
            self._check_length(len(self._lines[-1]))
        self._rest += rest
        self._check_length(len(self._rest))

    def _check_length(self, length_bytes: int) -> None:
        if length_bytes > self._line_limit_bytes:
            raise LineTooLong(f"A line has more than {self._line_limit_bytes} bytes.")

    def _release(self) -> None:
        with self._lock:
            if self._released:
                return
            self._released = True
        self._exchange.release()
