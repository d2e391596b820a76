"""A connected socket on which every wait ends with the call's deadline.

A socket's own timeout starts anew with every read, so a server that sends a byte now and then
holds a caller for ever: inside the head, inside a chunk's size, inside a line. Here each single
read and write gets what the countdown has left. That needs no watchdog thread, and the deadline
that passed is known exactly.
"""

import io
import socket
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

    def read_into(self, buffer: "WriteableBuffer") -> int:
        """Read once; 0 is the end."""
        countdown = self.countdown
        self._sock.settimeout(countdown.left_s())
        try:
            count = self._sock.recv_into(buffer)
        except TimeoutError:
            raise countdown.exceeded() from None
        self.ended = not count
        return count

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

    def readinto(self, buffer: "WriteableBuffer") -> int:
        return self._sock.read_into(buffer)

    def close(self) -> None:
        if not self.closed:
            self._holder.close()
        super().close()
