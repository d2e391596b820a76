"""One request and its answer on one connection."""

import http.client
import zlib
from email.errors import MissingHeaderBodySeparatorDefect
from time import monotonic

from urllib3 import HTTPHeaderDict

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
from integrations.http.wire import DeadlineSocket

_CHUNK_BYTES = 65536
_FIRST_FINAL_STATUS = 200

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
        self._response: http.client.HTTPResponse | None = None
        self._gunzip: Gunzip | None = None
        self._left_bytes: int | None = None
        self._sent_whole = True
        self._at_end = False

    def open(self, request: OutboundRequest, target: str) -> tuple[int, HTTPHeaderDict]:
        """Connect if need be, send the request and give the answer's status and headers.

        Raises:
            OutboundError: The answer is of no use; `release` is due all the same.
        """
        self._connect()
        self._write(request, target)
        response = self._response = self._read_head()
        self._left_bytes = response.length
        self._at_end = response.length == 0
        self._check_framing(response)
        return response.status, HTTPHeaderDict(response.headers.items())

    def read_some(self) -> bytes:
        """Give the next decoded bytes of the body, at most 64 KiB; empty at its end.

        Raises:
            ConnectionReset: The connection broke, or ended before the body did.
            MalformedResponse: The body's framing or coding is wrong.
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
            DeadlineExceeded: As `read_some`.
            ConnectionReset: The connection broke.
        """
        response = self._response
        if response is None or response.fp is None or self._at_end or self._gunzip is not None:
            return True
        until = monotonic() + wait_s
        try:
            if response.chunk_left == 0 and self._socket.wait(response.fp, wait_s):
                # http.client leaves the line end after a chunk to the next read: it is no news.
                response.fp.read(2)
                response.chunk_left = None
            return self._socket.wait(response.fp, until - monotonic())
        except OSError as error:
            raise self._broken(error) from None

    def read_all(self, limit_bytes: int) -> bytes:
        """Give the whole body.

        Raises:
            BodyTooLarge: It is longer than `limit_bytes`, or says so.
            OutboundError: What `read_some` raises.
        """
        if self._gunzip is None and (self._left_bytes or 0) > limit_bytes:
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
        """Keep the connection if the answer was read to its end, else close it."""
        if self._response is not None:
            self._response.close()
        # urllib3 has let go of the socket already if the answer said "Connection: close".
        if self._at_end and self._sent_whole and self._connection.sock is not None:
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
        connection = self._connection
        method, headers, body = request.method, request.headers, request.body
        connection.putrequest(method, target, skip_accept_encoding=True)
        connection.putheader("Accept-Encoding", "identity")
        if not any(name.lower() == "user-agent" for name in headers):
            connection.putheader("User-Agent", "intmod")
        if body is not None or method in _WITH_BODY:
            connection.putheader("Content-Length", str(len(body or b"")))
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders(body)
        self._countdown.expect_first_byte()
        try:
            connection.flush()
        except OSError:
            # A server may refuse a long body and hang up: its answer is there to be read.
            self._sent_whole = False

    def _read_head(self) -> http.client.HTTPResponse:
        try:
            response = self._connection.getresponse()
        except (http.client.HTTPException, OSError) as error:
            raise self._broken(error) from None
        if self._socket.ended:
            # http.client takes the end of the connection for the end of the head.
            response.close()
            raise ConnectionReset(f"{self._origin} broke the connection.")
        return response

    def _check_framing(self, response: http.client.HTTPResponse) -> None:
        """Refuse an answer whose end is unclear, and one that nobody can decode (RFC 9112, 6)."""
        headers = response.headers
        lengths = set(headers.get_all("content-length", ()))
        transfer_coding = headers.get("transfer-encoding")
        content_coding = headers.get("content-encoding", "identity").strip().lower()
        if (
            response.status < _FIRST_FINAL_STATUS
            or len(lengths) > 1
            or (lengths and transfer_coding is None and response.length is None)
            or (transfer_coding is not None and not response.chunked)
            or any(isinstance(d, MissingHeaderBodySeparatorDefect) for d in headers.defects)
        ):
            raise MalformedResponse(f"The head of {self._origin}'s answer makes no sense.")
        if self._at_end:
            return
        if content_coding in {"gzip", "x-gzip"}:
            self._gunzip = Gunzip(_CHUNK_BYTES)
        elif content_coding not in {"", "identity"}:
            raise MalformedResponse(f"{self._origin} answered in a coding that was not asked for.")

    def _read_unpacked(self, gunzip: Gunzip) -> bytes:
        while not (piece := gunzip.take()):
            packed = self._read_raw()
            if not packed:
                return gunzip.finish()
            gunzip.feed(packed)
        return piece

    def _read_raw(self) -> bytes:
        response, left_bytes = self._response, self._left_bytes
        if response is None or self._at_end:
            return b""
        amount = _CHUNK_BYTES if left_bytes is None else min(_CHUNK_BYTES, left_bytes)
        try:
            data = response.read1(amount)
        except (http.client.HTTPException, OSError) as error:
            raise self._broken(error) from None
        if left_bytes is None:
            self._at_end = not data
        elif data:
            self._left_bytes = left_bytes - len(data)
            self._at_end = self._left_bytes == 0
        else:
            raise ConnectionReset(f"{self._origin} ended its answer too early.")
        return data

    def _broken(self, error: Exception) -> OutboundError:
        if isinstance(error, (OSError, http.client.IncompleteRead)):
            return ConnectionReset(f"{self._origin} broke the connection.")
        return MalformedResponse(f"{self._origin} did not answer in HTTP/1.1.")

    def _too_large(self, limit_bytes: int) -> BodyTooLarge:
        return BodyTooLarge(f"{self._origin} answered with more than {limit_bytes} bytes.")
