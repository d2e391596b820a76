"""One request and its answer on one connection."""

import zlib
from collections.abc import Mapping
from time import monotonic

from integrations.http.answer_head import (
    AnswerHead,
    Headers,
    MalformedHead,
    parse_head,
    split_head,
)
from integrations.http.body import Body, ChunkedBody, ClosingBody, CountedBody
from integrations.http.countdown import Countdown
from integrations.http.errors import (
    BodyTooLarge,
    ConnectionReset,
    MalformedResponse,
    OutboundError,
)
from integrations.http.gunzip import Gunzip
from integrations.http.messages import OutboundRequest
from integrations.http.pool import OriginPool
from integrations.http.wire import READ_BYTES, DeadlineSocket

_CONTINUE = 100
_FIRST_FINAL_STATUS = 200
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
        self._body: Body | None = None
        self._gunzip: Gunzip | None = None
        self._early = b""  # what came with the head, or before the head was whole
        self._decoded = b""
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
            self._body = self._body_after(head, method)
        except MalformedHead:
            raise MalformedResponse(
                f"The head of {self._origin}'s answer makes no sense."
            ) from None
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
        if self._gunzip is None:
            return self._read_raw()
        try:
            return self._read_unpacked(self._gunzip)
        except zlib.error:
            raise MalformedResponse(f"{self._origin} sent a broken gzip body.") from None

    def wait(self, wait_s: float) -> bool:
        """Wait for more of the body, at most so long; say whether `read_some` would not wait.

        Of a packed body it cannot be said: there it is always true.

        Raises:
            DeadlineExceeded, ConnectionReset: As `read_some`.
        """
        until = monotonic() + wait_s
        while not (self._decoded or self._gunzip or self._is_whole):
            if not (self._early or self._socket.wait(until - monotonic())):
                return False
            self._receive_body()
        return True

    def read_all(self, limit_bytes: int) -> bytes:
        """Give the whole body.

        Raises:
            BodyTooLarge: It is longer than `limit_bytes`, or says so.
            OutboundError: What `read_some` raises.
        """
        body = self._body
        if self._gunzip is None and isinstance(body, CountedBody) and body.left > limit_bytes:
            raise self._too_large(limit_bytes)
        pieces = []
        room_bytes = limit_bytes
        while piece := self.read_some():
            self._countdown.expect_bytes()
            room_bytes -= len(piece)
            if room_bytes < 0:
                raise self._too_large(limit_bytes)
            pieces.append(piece)
        return b"".join(pieces)

    def interrupt(self) -> None:
        """Break the connection under a reader that waits. After `open`, not after `release`."""
        self._socket.interrupt()

    def release(self) -> None:
        """Keep the connection if the answer was read to its end and nothing follows, else close."""
        body = self._body
        if (
            body is not None
            and body.is_whole
            and not body.rest
            and self._sent_whole
            and self._keeps_alive
        ):
            self._pool.give_back(self._connection)
        else:
            self._connection.close()

    @property
    def _is_whole(self) -> bool:
        return self._body is None or self._body.is_whole

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

    def _body_after(self, head: AnswerHead, method: str) -> Body:
        """Say how the body comes; refuse one that nobody can decode (RFC 9112, 6)."""
        length = head.body_length(method)
        if head.status < _FIRST_FINAL_STATUS:
            raise MalformedHead
        body: Body
        if length is not None:
            body = CountedBody(length)
            body.rest = self._early if length == 0 else b""
        else:
            body = ChunkedBody() if head.is_chunked else ClosingBody()
        if not body.is_whole:
            self._gunzip = self._decoder(head.headers)
        return body

    def _decoder(self, headers: Mapping[str, str]) -> Gunzip | None:
        coding = headers.get("content-encoding", "").lower()
        if coding in {"gzip", "x-gzip"}:
            return Gunzip(READ_BYTES)
        if coding not in {"", "identity"}:
            raise MalformedResponse(f"{self._origin} answered in a coding that was not asked for.")
        return None

    def _read_unpacked(self, gunzip: Gunzip) -> bytes:
        while not (piece := gunzip.take()):
            packed = self._read_raw()
            if not packed:
                return gunzip.finish()
            gunzip.feed(packed)
        return piece

    def _read_raw(self) -> bytes:
        while not (self._decoded or self._is_whole):
            self._receive_body()
        decoded, self._decoded = self._decoded, b""
        return decoded

    def _receive_body(self) -> None:
        body = self._body
        if body is None:
            return
        if body.is_broken:
            # Whoever writes chunks does so by program: a broken one is a broken connection.
            raise ConnectionReset(f"{self._origin} broke its answer off.")
        received, self._early = self._early or self._receive(), b""
        if received:
            self._decoded = body.feed(received)
            return
        body.end()
        if not body.is_whole:
            raise ConnectionReset(f"{self._origin} ended its answer too early.")

    def _receive_some(self) -> bytes:
        if data := self._receive():
            return data
        raise ConnectionReset(f"{self._origin} broke the connection.")

    def _receive(self) -> bytes:
        try:
            return self._socket.receive()
        except OSError:
            raise ConnectionReset(f"{self._origin} broke the connection.") from None

    def _too_large(self, limit_bytes: int) -> BodyTooLarge:
        return BodyTooLarge(f"{self._origin} answered with more than {limit_bytes} bytes.")


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
