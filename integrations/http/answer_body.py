"""An answer's body, decoded while it comes in."""

import zlib
from collections.abc import Mapping
from time import monotonic

from integrations.http.answer_head import AnswerHead, MalformedHead
from integrations.http.body import Body, ChunkedBody, ClosingBody, CountedBody
from integrations.http.countdown import Countdown
from integrations.http.errors import BodyTooLarge, ConnectionReset, MalformedResponse
from integrations.http.gunzip import Gunzip
from integrations.http.wire import READ_BYTES, DeadlineSocket

_FIRST_FINAL_STATUS = 200


class AnswerBody:
    """Reads a body to its end.

    Args:
        head: What the answer's head says of it.
        method: Of the request.
        early: What came with the head.
        socket: Where the rest comes from.
        origin: Whose answer it is, for messages.

    Raises:
        MalformedHead: The head makes no sense.
        MalformedResponse: Nobody can decode the body.
    """

    def __init__(
        self,
        head: AnswerHead,
        method: str,
        *,
        early: bytes,
        socket: DeadlineSocket,
        origin: object,
    ) -> None:
        self._origin = origin
        self._socket = socket
        self._early = early
        self._decoded = b""
        self._gunzip: Gunzip | None = None
        self._body = _body_after(head, method, early)
        if not self._body.is_whole:
            self._gunzip = self._decoder(head.headers)

    @property
    def is_whole(self) -> bool:
        """Whether it has come to its end, and nothing after it."""
        return self._body.is_whole and not self._body.rest

    def read_some(self) -> bytes:
        """Give the next decoded bytes, at most 64 KiB; see `Exchange.read_some`."""
        if self._gunzip is None:
            return self._read_raw()
        try:
            return self._read_unpacked(self._gunzip)
        except zlib.error:
            raise MalformedResponse(f"{self._origin} sent a broken gzip body.") from None

    def wait(self, wait_s: float) -> bool:
        """Wait for more of it; see `Exchange.wait`."""
        until = monotonic() + wait_s
        while not (self._decoded or self._gunzip or self._body.is_whole):
            if not (self._early or self._socket.wait(until - monotonic())):
                return False
            self._receive_body()
        return True

    def read_all(self, limit_bytes: int, countdown: Countdown) -> bytes:
        """Give all of it; see `Exchange.read_all`."""
        body = self._body
        if self._gunzip is None and isinstance(body, CountedBody) and body.left > limit_bytes:
            raise self._too_large(limit_bytes)
        pieces = []
        room_bytes = limit_bytes
        while piece := self.read_some():
            countdown.expect_bytes()
            room_bytes -= len(piece)
            if room_bytes < 0:
                raise self._too_large(limit_bytes)
            pieces.append(piece)
        return b"".join(pieces)

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
        while not (self._decoded or self._body.is_whole):
            self._receive_body()
        decoded, self._decoded = self._decoded, b""
        return decoded

    def _receive_body(self) -> None:
        body = self._body
        if body.is_broken:
            # Whoever writes chunks does so by program: a broken one is a broken connection.
            raise ConnectionReset(f"{self._origin} broke its answer off.")
        received, self._early = self._early or receive(self._socket, self._origin), b""
        if received:
            self._decoded = body.feed(received)
            return
        body.end()
        if not body.is_whole:
            raise ConnectionReset(f"{self._origin} ended its answer too early.")

    def _too_large(self, limit_bytes: int) -> BodyTooLarge:
        return BodyTooLarge(f"{self._origin} answered with more than {limit_bytes} bytes.")


def _body_after(head: AnswerHead, method: str, early: bytes) -> Body:
    """Say how the body comes (RFC 9112, 6)."""
    length = head.body_length(method)
    if head.status < _FIRST_FINAL_STATUS:
        raise MalformedHead
    if length is None:
        return ChunkedBody() if head.is_chunked else ClosingBody()
    body = CountedBody(length)
    body.rest = early if length == 0 else b""
    return body


def receive(socket: DeadlineSocket, origin: object) -> bytes:
    """Give the next bytes of a connection, none at its end.

    Raises:
        ConnectionReset: It broke.
    """
    try:
        return socket.receive()
    except OSError:
        raise ConnectionReset(f"{origin} broke the connection.") from None
