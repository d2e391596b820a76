"""Where an answer's body ends: after a number of bytes, a last chunk, or with the connection.

Pure: bytes go in as they come, the body's bytes come out. Source: RFC 9112, 6 and 7.
"""

import re
from typing import Protocol

_LONGEST_LINE_BYTES = 16384
_MOST_TRAILER_LINES = 100
_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;.*)?\r?", re.DOTALL)


class Body(Protocol):
    """Takes the connection's bytes, gives the body's."""

    is_whole: bool
    is_broken: bool
    """Whether what came after the bytes that `feed` gave makes no sense."""
    rest: bytes
    """What came after its end."""

    def feed(self, received: bytes) -> bytes:
        """Give the body's part of the bytes, which may be empty."""
        ...

    def end(self) -> None:
        """Note that the connection ended; a body that is not whole then is cut."""
        ...


class CountedBody:
    """Ends after so many bytes; see Body."""

    is_broken = False

    def __init__(self, length: int) -> None:
        self.left = length
        self.is_whole = length == 0
        self.rest = b""

    def feed(self, received: bytes) -> bytes:
        """See Body."""
        piece, self.rest = received[: self.left], received[self.left :]
        self.left -= len(piece)
        self.is_whole = self.left == 0
        return piece

    def end(self) -> None:
        """See Body."""


class ClosingBody:
    """Ends with the connection; see Body."""

    is_broken = False

    def __init__(self) -> None:
        self.is_whole = False
        self.rest = b""

    def feed(self, received: bytes) -> bytes:
        """See Body."""
        return received

    def end(self) -> None:
        """See Body."""
        self.is_whole = True


class ChunkedBody:
    """Ends after the last chunk and its trailer, which nobody reads; see Body."""

    def __init__(self) -> None:
        self.is_whole = False
        self.is_broken = False
        self.rest = b""
        self._waiting = b""
        self._chunk_left = 0
        self._after_chunk = False
        self._trailer_lines: int | None = None

    def feed(self, received: bytes) -> bytes:
        """See Body."""
        data = self._waiting + received if self._waiting else received
        self._waiting = b""
        pieces = []
        at = 0
        while at < len(data) and not (self.is_whole or self.is_broken):
            if self._chunk_left:
                piece = data[at : at + self._chunk_left]
                pieces.append(piece)
                at += len(piece)
                self._chunk_left -= len(piece)
                self._after_chunk = not self._chunk_left
                continue
            newline = data.find(b"\n", at)
            if newline < 0:
                self._waiting = data[at:]
                self.is_broken = len(self._waiting) > _LONGEST_LINE_BYTES
                break
            self._take_line(data[at:newline])
            at = newline + 1
        if self.is_whole:
            self.rest = data[at:]
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def end(self) -> None:
        """See Body."""

    def _take_line(self, line: bytes) -> None:
        if self._after_chunk:
            self.is_broken = line != b"\r"
            self._after_chunk = False
        elif self._trailer_lines is not None:
            self.is_whole = line in {b"", b"\r"}
            self._trailer_lines += 1
            self.is_broken = self._trailer_lines > _MOST_TRAILER_LINES
        elif size := _SIZE_LINE.fullmatch(line):
            self._chunk_left = int(size[1], 16)
            if not self._chunk_left:
                self._trailer_lines = 0
        else:
            self.is_broken = True
