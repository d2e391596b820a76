"""Unpacking gzip in small pieces, so that a few kilobytes cannot become gigabytes in memory."""

import zlib

_GZIP_ONLY = 16 + zlib.MAX_WBITS


class Gunzip:
    """Decodes a gzip body (RFC 1952), of one or more members.

    Args:
        piece_bytes: The most that one `take` gives.
    """

    def __init__(self, piece_bytes: int) -> None:
        self._piece_bytes = piece_bytes
        self._inflate = zlib.decompressobj(_GZIP_ONLY)
        self._packed = b""
        self._fed = False

    def feed(self, packed: bytes) -> None:
        """Take in the next bytes of the body."""
        self._fed = True
        self._packed += packed

    def take(self) -> bytes:
        """Give decoded bytes; empty if more has to be fed first.

        Raises:
            zlib.error: The body is not gzip.
        """
        while self._packed:
            if self._inflate.eof:
                self._inflate = zlib.decompressobj(_GZIP_ONLY)
            piece = self._inflate.decompress(self._packed, self._piece_bytes)
            self._packed = self._inflate.unconsumed_tail or self._inflate.unused_data
            if piece:
                return piece
        return b""

    def finish(self) -> bytes:
        """Give the last few decoded bytes once everything was fed and taken.

        Raises:
            zlib.error: The body ends too early.
        """
        if self._inflate.eof or not self._fed:
            return b""
        rest = self._inflate.flush()
        complete: bool = self._inflate.eof
        if not complete:
            raise zlib.error("the body ends too early")
        return rest
