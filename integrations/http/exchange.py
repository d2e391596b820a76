"""One request and its answer on one connection."""

from time import monotonic

from integrations.http.answer_body import AnswerBody, receive
from integrations.http.answer_head import AnswerHead, Headers, MalformedHead, parse_head, split_head
from integrations.http.countdown import Countdown
from integrations.http.errors import ConnectionReset, MalformedResponse, OutboundError
from integrations.http.messages import OutboundRequest
from integrations.http.pool import OriginPool
from integrations.http.wire import DeadlineSocket

_CONTINUE = 100
# Below this a copy costs less than a second packet and the system call that sends it.
_JOIN_BELOW_BYTES = 65536
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


class Exchange:
    """Sends a request and reads its answer; used once, by one thread at a time.

    Only `interrupt` may be called from another thread.

    Args:
        pool: Lends the connection.
        countdown: The call's deadlines.
    """

    _socket: DeadlineSocket

    def __init__(self, pool: OriginPool, countdown: Countdown) -> None:
        self._pool = pool
        self._countdown = countdown
        self._origin = pool.pinned.origin
        self._connection = pool.take()
        self._body: AnswerBody | None = None
        self._early = b""  # what came with the head, or before the head was whole
        self._sent_whole = True
        self._keeps_alive = False

    def open(self, request: OutboundRequest, target: str) -> tuple[int, Headers]:
        """Connect if need be, send the request and give the answer's status and headers.

        Raises:
            OutboundError: The answer is of no use; `release` is due all the same.
        """
        self.begin(request, target)
        return self.head(request.method)

    def begin(self, request: OutboundRequest, target: str) -> None:
        """Connect if need be and send the request; see `open`."""
        self._connect()
        self._write(request, target)

    def wait_for_head(self, wait_s: float) -> bool:
        """Wait for the answer's head, at most so long; say whether `head` would not wait.

        Raises:
            OutboundError: As `open`.
        """
        until = monotonic() + wait_s
        while not _is_head(self._early):
            if not self._socket.wait(until - monotonic()):
                return False
            self._early += self._receive_some()
        return True

    def head(self, method: str) -> tuple[int, Headers]:
        """Give the answer's status and headers, once the request is sent; see `open`."""
        try:
            head = self._read_head()
            self._body = AnswerBody(
                head,
                method,
                early=self._early,
                socket=self._socket,
                origin=self._origin,
            )
        except MalformedHead:
            raise MalformedResponse(
                f"The head of {self._origin}'s answer makes no sense."
            ) from None
        self._early = b""
        self._keeps_alive = head.keeps_alive
        return head.status, head.headers

    def read_some(self) -> bytes:
        """Give the next decoded bytes of the body, at most 64 KiB; empty at its end.

        Raises:
            ConnectionReset: The connection broke, or ended before the body did, or a chunk of the
                body is no chunk.
            MalformedResponse: The body's coding is wrong.
            DeadlineExceeded: One of `first_byte_timeout`, `idle_timeout`, `total_timeout`.
        """
        return self._body.read_some() if self._body else b""

    def wait(self, wait_s: float) -> bool:
        """Wait for more of the body, at most so long; say whether `read_some` would not wait.

        Of a packed body it cannot be said: there it is always true.

        Raises:
            DeadlineExceeded, ConnectionReset: As `read_some`.
        """
        return self._body.wait(wait_s) if self._body else True

    def read_all(self, limit_bytes: int) -> bytes:
        """Give the whole body.

        Raises:
            BodyTooLarge: It is longer than `limit_bytes`, or says so.
            OutboundError: What `read_some` raises.
        """
        return self._body.read_all(limit_bytes, self._countdown) if self._body else b""

    def interrupt(self) -> None:
        """Break the connection under a reader that waits. After `open`, not after `release`."""
        self._socket.interrupt()

    def release(self) -> None:
        """Keep the connection if the answer was read to its end and nothing follows, else close."""
        body = self._body
        if body is not None and body.is_whole and self._sent_whole and self._keeps_alive:
            self._pool.give_back(self._connection)
        else:
            self._connection.close()

    def _connect(self) -> None:
        try:
            self._socket = self._connection.begin(self._countdown)
        except OutboundError:
            # The name may lead somewhere else by now.
            self._pool.fresh_until = 0.0
            raise

    def _write(self, request: OutboundRequest, target: str) -> None:
        body = request.body or b""
        parts = [_head_of(request, target, self._origin.authority), body]
        if len(body) <= _JOIN_BELOW_BYTES:
            parts = [b"".join(parts)]
        self._countdown.expect_first_byte()
        try:
            for part in parts:
                self._socket.sendall(part)
        except OSError:
            # A server may refuse a long body and hang up: its answer is there to be read.
            self._sent_whole = False

    def _read_head(self) -> AnswerHead:
        received = self._early
        while True:
            while (parts := split_head(received)) is None:
                received += self._receive_some()
            head, received = parse_head(parts[0]), parts[1]
            if head.status != _CONTINUE:
                self._early = received
                return head

    def _receive_some(self) -> bytes:
        if data := receive(self._socket, self._origin):
            return data
        raise ConnectionReset(f"{self._origin} broke the connection.")


def _is_head(received: bytes) -> bool:
    try:
        return split_head(received) is not None
    except MalformedHead:
        # More of it would not make it a better one; reading it says so.
        return True


def _head_of(request: OutboundRequest, target: str, authority: str) -> bytes:
    """Write the request's head; OutboundRequest has checked that its parts can stand there."""
    headers, body = request.headers, request.body
    lines = [f"{request.method} {target} HTTP/1.1", f"Host: {authority}"]
    lines.append("Accept-Encoding: identity")
    if not any(name.lower() == "user-agent" for name in headers):
        lines.append("User-Agent: intmod")
    if body is not None or request.method in _WITH_BODY:
        lines.append(f"Content-Length: {len(body or b'')}")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "\r\n"]).encode("latin-1")
