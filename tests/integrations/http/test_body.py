"""Where bodies end, whatever pieces they come in."""

import pytest

from integrations.http.body import Body, ChunkedBody, ClosingBody, CountedBody

CHUNKED = b"3;x=y\r\nabc\r\nA \r\n0123456789\r\n1\r\n\n\r\n0\r\nTrailer: x\r\n\r\n"
DECODED = b"abc0123456789\n"


def fed(body: Body, wire: bytes, step: int) -> bytes:
    return b"".join(body.feed(wire[at : at + step]) for at in range(0, len(wire), step))


@pytest.mark.parametrize("step", range(1, len(CHUNKED) + 5))
def test_chunks_do_not_depend_on_the_pieces(step: int) -> None:
    body = ChunkedBody()
    assert fed(body, CHUNKED, step) == DECODED
    assert (body.is_whole, body.is_broken, body.rest) == (True, False, b"")


@pytest.mark.parametrize("end", range(len(CHUNKED)))
def test_chunks_cut_off_are_not_whole(end: int) -> None:
    body = ChunkedBody()
    assert DECODED.startswith(body.feed(CHUNKED[:end]))
    body.end()
    assert not body.is_whole


def test_what_follows_the_end_is_told() -> None:
    chunked, counted = ChunkedBody(), CountedBody(3)
    assert chunked.feed(CHUNKED + b"HTTP/1.1") == DECODED
    assert counted.feed(b"abcHTTP/1.1") == b"abc"
    assert chunked.rest == counted.rest == b"HTTP/1.1"


@pytest.mark.parametrize(
    "wire",
    [
        b"\r\n",
        b"x\r\n",
        b"0x3\r\nabc",
        b"+3\r\nabc",
        b"-1\r\n",
        b"3_0\r\n",
        b"1\r\naXX\r\n",
        b"1\r\nabc\r\n",
        b"ffffffffffffffff\r\n",
        b"1" * 20_000,
        b"0\r\n" + b"X: y\r\n" * 101 + b"\r\n",
    ],
)
@pytest.mark.parametrize("before", [b"", b"2\r\nok\r\n"])
def test_what_is_no_chunk_breaks_after_the_good_ones(before: bytes, wire: bytes) -> None:
    body = ChunkedBody()
    given = fed(body, before + wire, 1)
    assert given.startswith(b"ok" if before else b"")
    assert body.is_broken


def test_a_body_may_end_with_the_connection() -> None:
    body = ClosingBody()
    assert fed(body, b"0\r\n\r\n", 2) == b"0\r\n\r\n"
    assert not body.is_whole
    body.end()
    assert body.is_whole


def test_a_counted_body_that_is_cut_is_not_whole() -> None:
    body = CountedBody(3)
    assert body.feed(b"ab") == b"ab"
    body.end()
    assert (body.is_whole, body.left) == (False, 1)
