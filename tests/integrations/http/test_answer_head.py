"""Reading the head of an answer."""

import pytest

from integrations.http.answer_head import AnswerHead, MalformedHead, parse_head, split_head


def parsed(text: str) -> AnswerHead:
    parts = split_head(text.encode("latin-1"))
    assert parts is not None
    return parse_head(parts[0])


def test_what_follows_the_head_is_the_body() -> None:
    assert split_head(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n\r\nx\n\n") == (
        b"HTTP/1.1 200 OK\r\nA: b\r",
        b"\r\nx\n\n",
    )


@pytest.mark.parametrize("end", range(len("HTTP/1.1 200 OK\r\nA: b\r\n\r\n")))
def test_a_head_that_begins_well_may_come_in_pieces(end: int) -> None:
    assert split_head(b"HTTP/1.1 200 OK\r\nA: b\r\n\r\n"[:end]) is None


@pytest.mark.parametrize(
    "start", [b"SSH-", b"HTTP/2", b"HTTP/1.1 200 OK" + b"x" * 70_000, b"HTTP/1.1 20\r\n", b"\r\n"]
)
def test_what_begins_like_no_head_is_refused_at_once(start: bytes) -> None:
    with pytest.raises(MalformedHead):
        split_head(start)


def test_fields_are_found_in_any_case_and_joined() -> None:
    head = parsed("HTTP/1.1 404 \r\nX-One: a\r\nx-one:\tb \r\nFolded: c\r\n  d\r\nEmpty:\r\n\r\n")
    assert (head.status, head.minor) == (404, 1)
    assert dict(head.headers) == {"x-one": "a, b", "folded": "c d", "empty": ""}
    assert head.headers["FOLDED"] == "c d"
    assert head.headers.get("none") is None


def test_lone_line_feeds_end_lines_too() -> None:
    assert dict(parsed("HTTP/1.0 200 OK\nA: b\nC: d\n\n").headers) == {"a": "b", "c": "d"}


@pytest.mark.parametrize(
    "lines", [" folded: first", "A : b", ": b", "A b", "Ä: b", "A\x00: b", "no colon"]
)
def test_what_is_no_field_is_refused(lines: str) -> None:
    with pytest.raises(MalformedHead):
        parsed(f"HTTP/1.1 200 OK\r\n{lines}\r\n\r\n")


@pytest.mark.parametrize(
    ("version", "connection", "kept"),
    [
        ("1.1", "", True),
        ("1.1", "Close", False),
        ("1.1", "keep-alive, close", False),
        ("1.0", "", False),
        ("1.0", "Keep-Alive", True),
    ],
)
def test_whether_the_connection_stays(version: str, connection: str, *, kept: bool) -> None:
    field = f"Connection: {connection}\r\n" if connection else ""
    assert parsed(f"HTTP/{version} 200 OK\r\n{field}\r\n").keeps_alive is kept


@pytest.mark.parametrize(
    ("method", "status", "fields", "length"),
    [
        ("GET", 200, "Content-Length: 7", 7),
        ("GET", 200, "Content-Length: 7\r\nContent-Length: 7", 7),
        ("GET", 200, "Transfer-Encoding: Chunked\r\nContent-Length: 7", None),
        ("GET", 200, "A: b", None),
        ("HEAD", 200, "Content-Length: 7", 0),
        ("GET", 204, "Transfer-Encoding: chunked", 0),
        ("GET", 304, "Content-Length: 7", 0),
    ],
)
def test_how_long_the_body_is(method: str, status: int, fields: str, length: int | None) -> None:
    assert parsed(f"HTTP/1.1 {status} X\r\n{fields}\r\n\r\n").body_length(method) == length


@pytest.mark.parametrize(
    "fields",
    [
        "Content-Length: 1, 1",
        "Content-Length: 1\r\nContent-Length: 2",
        "Content-Length: +1",
        "Content-Length: 1e3",
        "Content-Length:",
        "Content-Length: 1111111111111111111",
        "Transfer-Encoding: chunked, gzip",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    ],
)
def test_a_length_that_two_readers_could_read_differently_is_refused(fields: str) -> None:
    with pytest.raises(MalformedHead):
        parsed(f"HTTP/1.1 200 OK\r\n{fields}\r\n\r\n").body_length("GET")
