"""A connected socket on which every wait ends with the call's deadline.

A socket's own timeout starts anew with every read, so a server that sends a byte now and then
holds a caller for ever: inside the head, inside a chunk's size, inside a line. Here each single
read and write gets what the countdown has left. That needs no watchdog thread, and the deadline
that passed is known exactly.

The socket itself never waits. Setting its timeout anew would be a system call before each read
and write, and each system call lets another busy thread run first.
"""

import select
import socket
import ssl
from time import monotonic

from integrations.http.countdown import Countdown

READ_BYTES = 65536
_LONGEST_WAIT_S = 2_000_000.0  # poll() counts milliseconds in 32 bits


class DeadlineSocket:
    """Reads and writes under a countdown.

    Args:
        sock: Connected, TLS included.
        countdown: Of the call that runs now; the next call puts its own here.
    """

    def __init__(self, sock: socket.socket, countdown: Countdown) -> None:
        sock.settimeout(0)
        self.countdown = countdown
        self._sock = sock
        # TLS may hold bytes that the descriptor no longer shows: it has to be asked first.
        self._is_tls = isinstance(sock, ssl.SSLSocket)
        self._readable = select.poll()
        self._readable.register(sock, select.POLLIN)

    def sendall(self, data: bytes) -> None:
        """Write all of it, or raise what the deadline or the socket raises."""
        left = memoryview(data)
        while left:
            ends_at = monotonic() + self.countdown.left_s()
            while True:
                try:
                    left = left[self._sock.send(left) :]
                except (BlockingIOError, ssl.SSLWantWriteError):
                    self._wait(self._writable(), ends_at - monotonic())
                except ssl.SSLWantReadError:
                    self._wait(self._readable, ends_at - monotonic())
                else:
                    break

    def receive(self) -> bytes:
        """Read what is there, waiting for the first byte; empty is the end.

        Raises:
            OSError: The connection broke.
            DeadlineExceeded: One of the countdown's passed.
        """
        left_s = self.countdown.left_s()
        ends_at = monotonic() + left_s
        if not self._is_tls:
            self._wait(self._readable, left_s)
        while True:
            try:
                return self._sock.recv(READ_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError):
                self._wait(self._readable, ends_at - monotonic())
            except ssl.SSLWantWriteError:
                self._wait(self._writable(), ends_at - monotonic())

    def wait(self, wait_s: float) -> bool:
        """Wait for bytes, or the end, at most so long; say whether there are any.

        Args:
            wait_s: Seconds; below zero is zero.

        Raises:
            DeadlineExceeded: One of the countdown's passed.
        """
        patience_s = min(max(wait_s, 0.0), self.countdown.left_s())
        if self.has_bytes(patience_s):
            return True
        self.countdown.left_s()
        return False

    def has_bytes(self, wait_s: float = 0.0) -> bool:
        """Say whether there is something to read, were it only the end."""
        if isinstance(self._sock, ssl.SSLSocket) and self._sock.pending():
            return True
        return bool(self._readable.poll(min(wait_s, _LONGEST_WAIT_S) * 1000))

    def interrupt(self) -> None:
        """Break the connection under whoever is waiting for it. Any thread may call this."""
        try:
            # Not the TLS socket's own shutdown: that would take its state away from the reader.
            socket.socket.shutdown(self._sock, socket.SHUT_RDWR)
        except OSError:
            # The other side was faster.
            return

    def close(self) -> None:
        """Close."""
        self._sock.close()

    def _wait(self, poll: select.poll, left_s: float) -> None:
        if left_s <= 0 or not poll.poll(min(left_s, _LONGEST_WAIT_S) * 1000):
            raise self.countdown.exceeded()

    def _writable(self) -> select.poll:
        poll = select.poll()
        poll.register(self._sock, select.POLLOUT)
        return poll
