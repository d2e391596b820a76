"""A connected socket on which every wait ends with the call's deadline.

A socket's own timeout starts anew with every read, so a server that sends a byte now and then
holds a caller for ever: inside the head, inside a chunk's size, inside a line. Here each single
read and write gets what the countdown has left. That needs no watchdog thread, and the deadline
that passed is known exactly.
"""

import io
import select
import socket
import ssl
from typing import TYPE_CHECKING

from integrations.http.countdown import Countdown

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


class DeadlineSocket:
    """What http.client needs of a socket, under a countdown.

    Args:
        sock: Connected, TLS included.
        countdown: Of the call that runs now; the next call puts its own here.
    """

    def __init__(self, sock: socket.socket, countdown: Countdown) -> None:
        self._sock = sock
        self.countdown = countdown
        self.ended = False
        self._patience_s: float | None = None

    def sendall(self, data: bytes) -> None:
        """Write all of it, or raise what the deadline or the socket raises."""
        countdown = self.countdown
        left = memoryview(data)
        try:
            while left:
                self._sock.settimeout(countdown.left_s())
                left = left[self._sock.send(left) :]
        except TimeoutError:
            raise countdown.exceeded() from None

    def makefile(self, mode: str) -> io.BufferedReader:
        """Give a buffered reader; the socket stays open until it is closed too."""
        return io.BufferedReader(_DeadlineReader(self, self._sock.makefile("rb", buffering=0)))

    def wait(self, reader: io.BufferedReader, wait_s: float) -> bool:
        """Wait for bytes, at most so long; say whether reading would not wait.

        Args:
            reader: What `makefile` gave: it may hold bytes that the socket no longer has.
            wait_s: Seconds; below zero is zero.

        Raises:
            DeadlineExceeded: One of the countdown's passed.
        """
        self._patience_s = min(max(wait_s, 0.0), self.countdown.left_s())
        try:
            there = bool(reader.peek(1)) or self.ended
        finally:
            self._patience_s = None
        if not there:
            self.countdown.left_s()
        return there

    def read_into(self, buffer: "WriteableBuffer") -> int | None:
        """Read once; 0 is the end, None that `wait` found nothing."""
        if self._patience_s is not None and not self._has_bytes(self._patience_s):
            return None
        countdown = self.countdown
        self._sock.settimeout(countdown.left_s())
        try:
            count = self._sock.recv_into(buffer)
        except TimeoutError:
            raise countdown.exceeded() from None
        self.ended = not count
        return count

    def _has_bytes(self, wait_s: float) -> bool:
        if isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
            return True
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return bool(poll.poll(wait_s * 1000))

    def interrupt(self) -> None:
        """Break the connection under whoever is waiting for it. Any thread may call this."""
        try:
            # Not the TLS socket's own shutdown: that would take its state away from the reader.
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)
        except OSError:
            # The other side was faster.
            return

    def settimeout(self, timeout_s: float | None) -> None:
        """Do nothing: the countdown decides."""

    def fileno(self) -> int:
        """Give the descriptor, for asking whether the connection was dropped."""
        return self._sock.fileno()

    def close(self) -> None:
        """Close, at the latest when the reader is closed too."""
        self._sock.close()


class _DeadlineReader(io.RawIOBase):
    """The raw end of `makefile`; holding the socket's own file keeps the socket open."""

    def __init__(self, sock: DeadlineSocket, holder: io.RawIOBase) -> None:
        self._sock = sock
        self._holder = holder

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int | None:
        return self._sock.read_into(buffer)

    def close(self) -> None:
        if not self.closed:
            self._holder.close()
        super().close()
