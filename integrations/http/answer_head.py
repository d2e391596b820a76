"""The head of an answer, read strictly where two readers could understand it differently.

Sources: RFC 9112, 4 (status line), 5 (field syntax), 6.3 (how long the body is), 9.3 (persistence).
"""

import re
from collections.abc import Iterator, Mapping

LONGEST_HEAD_BYTES = 65536
MOST_FIELDS = 100

# A lone line feed ends a line too (RFC 9112, 2.2).
_END = re.compile(rb"\n\r?\n")
_STATUS_LINE = re.compile(r"HTTP/1\.([0-9]) ([1-9][0-9]{2})(?: .*)?")
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_LENGTH = re.compile(r"[0-9]{1,18}")
_WITHOUT_BODY = frozenset({204, 304})
_START = b"HTTP/1."


class MalformedHead(ValueError):
    """It is no head of HTTP/1, or does not say clearly where the body ends."""


class Headers(Mapping[str, str]):
    """Header fields by name in any case; repeated ones are joined with a comma."""

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, str]) -> None:
        self._values = values

    def __getitem__(self, name: str) -> str:
        return self._values[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


class AnswerHead:
    """A parsed head.

    Args:
        status: 100 to 999.
        minor: Of the HTTP version: 1 for HTTP/1.1.
        headers: Its fields.
    """

    __slots__ = ("headers", "minor", "status")

    def __init__(self, status: int, minor: int, headers: Headers) -> None:
        self.status = status
        self.minor = minor
        self.headers = headers

    @property
    def keeps_alive(self) -> bool:
        """Whether the connection may be used again after the body."""
        wish = self.headers.get("connection", "").lower()
        return "close" not in wish if self.minor else "keep-alive" in wish

    @property
    def is_chunked(self) -> bool:
        """Whether the body comes in chunks.

        Raises:
            MalformedHead: It comes in another transfer coding.
        """
        coding = self.headers.get("transfer-encoding")
        if coding is None:
            return False
        if coding.lower() != "chunked":
            raise MalformedHead
        return True

    def body_length(self, method: str) -> int | None:
        """Give the bytes of the body; None if it ends with a last chunk or the connection.

        Raises:
            MalformedHead: Content-Length is not one number.
        """
        is_chunked, text = self.is_chunked, self.headers.get("content-length")
        if method == "HEAD" or self.status in _WITHOUT_BODY:
            return 0
        if is_chunked or text is None:
            return None
        if _LENGTH.fullmatch(text) is None:
            raise MalformedHead
        return int(text)


def split_head(received: bytes) -> tuple[bytes, bytes] | None:
    """Give the head without the blank line, and what follows it; None if there is more to come.

    Raises:
        MalformedHead: What there is begins like no head, or is too long for one.
    """
    end = _END.search(received)
    if end is not None and end.start() <= LONGEST_HEAD_BYTES:
        return received[: end.start()], received[end.end() :]
    first, ended, _ = received.partition(b"\n")
    if (
        len(received) > LONGEST_HEAD_BYTES
        or not first.startswith(_START[: len(first)])
        or (ended and _STATUS_LINE.fullmatch(first.decode("latin-1").rstrip("\r")) is None)
    ):
        raise MalformedHead
    return None


def parse_head(head: bytes) -> AnswerHead:
    """Read what `split_head` gave.

    Raises:
        MalformedHead: The status line or a field is not what it should be, or there are too many.
    """
    first, *lines = head.decode("latin-1").split("\n")
    status_line = _STATUS_LINE.fullmatch(first.rstrip("\r"))
    if status_line is None or len(lines) > MOST_FIELDS:
        raise MalformedHead
    values: dict[str, str] = {}
    name = ""
    for line in lines:
        before, colon, after = line.partition(":")
        if line[:1] in " \t" and name:
            # A folded field goes on (RFC 9112, 5.2).
            values[name] += f" {line.strip()}"
            continue
        if not colon or _NAME.fullmatch(before) is None:
            raise MalformedHead
        name, value = before.lower(), after.strip()
        if name == "content-length" and values.get(name) == value:
            continue
        values[name] = f"{values[name]}, {value}" if name in values else value
    return AnswerHead(int(status_line[2]), int(status_line[1]), Headers(values))
