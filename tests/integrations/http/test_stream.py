"""Answers that are read line by line."""

import gzip
import threading
import time

import pytest

from integrations.http.client import HttpClient
from integrations.http.errors import (
    BodyTooLarge,
    ConnectionReset,
    LineTooLong,
    MalformedResponse,
    StreamClosed,
)
from integrations.http.policy import EgressPolicy
from tests.integrations.http.calls import fetch, stream
from tests.integrations.http.conftest import Serve
from tests.integrations.http.scripted_server import Peer

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunked(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts)


def streaming(*parts: bytes, end: bytes = b"0\r\n\r\n") -> object:
    def script(peer: Peer) -> None:
        while peer.request():
            peer.send(HEAD)
            for part in parts:
                peer.send(chunked(part))
            peer.send(end)

    return script


def hanging(peer: Peer) -> None:
    peer.request()
    peer.send(HEAD + chunked(b"data: 1\n", b"\nda"))
    peer.server.hung_up_at = peer.wait_for_hangup()  # type: ignore[attr-defined]


def test_lines_are_put_together(client: HttpClient, serve: Serve, loopback: EgressPolicy) -> None:
    server = serve(streaming(b"da", b"ta: 1\r", b"\n\r\nda", b"ta: 2\n\n\n", b": \xff\r\r\nrest"))
    with stream(client, server.url(), loopback) as lines:
        assert lines.status == 200
        assert lines.headers["content-type"] == "text/event-stream"
        assert list(lines) == [b"data: 1", b"", b"data: 2", b"", b"", b": \xff\r", b"rest"]
        assert list(lines) == []


def test_lines_come_as_soon_as_they_are_there(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    go_on = threading.Event()

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(HEAD + chunked(b"first\n"))
        go_on.wait(5)
        peer.send(chunked(b"second\n") + b"0\r\n\r\n")

    with stream(client, serve(script).url(), loopback) as lines:
        assert next(lines) == b"first"
        go_on.set()
        assert list(lines) == [b"second"]


def test_a_stream_read_to_its_end_leaves_the_connection(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    server = serve(streaming(b"a\nb\n"))
    for _ in range(3):
        with stream(client, server.url(), loopback) as lines:
            assert list(lines) == [b"a", b"b"]
    assert server.accepted == 1


def test_a_stream_left_early_closes_the_connection(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    server = serve(hanging)
    with stream(client, server.url(), loopback) as lines:
        next(lines)
        left_at = time.monotonic()
    fetch_thread = time.monotonic()
    while not hasattr(server, "hung_up_at") and time.monotonic() - fetch_thread < 20:
        time.sleep(0.01)
    assert server.hung_up_at - left_at < 10
    with pytest.raises(StreamClosed):
        next(lines)


def test_close_from_another_thread_ends_a_waiting_read(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    server = serve(hanging)
    lines = stream(client, server.url(), loopback)
    assert next(lines) == b"data: 1"
    assert next(lines) == b""
    closed_at: list[float] = []

    def close() -> None:
        closed_at.append(time.monotonic())
        lines.close()

    timer = threading.Timer(0.2, close)
    timer.start()
    with pytest.raises(StreamClosed) as caught:
        next(lines)
    assert time.monotonic() - closed_at[0] < 10
    assert caught.value.code == "stream_closed"
    timer.join()
    lines.close()
    deadline = time.monotonic() + 20
    while not hasattr(server, "hung_up_at") and time.monotonic() < deadline:
        time.sleep(0.01)
    assert server.hung_up_at - closed_at[0] < 10


def test_closing_a_body_that_ends_with_the_connection_is_no_proper_end(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.0 200 OK\r\n\r\nline\npart")
        peer.hang()

    lines = stream(client, serve(script).url(), loopback)
    assert next(lines) == b"line"
    timer = threading.Timer(0.1, lines.close)
    timer.start()
    with pytest.raises(StreamClosed):
        next(lines)
    timer.join()


def test_a_late_close_does_not_hurt_the_next_call(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    server = serve(streaming(b"a\n"))
    first = stream(client, server.url(), loopback)
    assert list(first) == [b"a"]
    with stream(client, server.url(), loopback) as second:
        first.close()
        assert list(second) == [b"a"]
    assert server.accepted == 1


@pytest.mark.parametrize(
    "parts", [(b"x" * 101,), (b"x" * 60, b"x" * 41), (b"y\n", b"x" * 101, b"\n")]
)
def test_long_lines(
    client: HttpClient, serve: Serve, loopback: EgressPolicy, parts: tuple[bytes, ...]
) -> None:
    server = serve(streaming(*parts))
    with stream(client, server.url(), loopback, line_limit_bytes=100) as lines:
        with pytest.raises(LineTooLong) as caught:
            list(lines)
        with pytest.raises(StreamClosed):
            next(lines)
    assert caught.value.code == "line_too_long"
    assert not caught.value.retryable


def test_a_line_at_the_limit(client: HttpClient, serve: Serve, loopback: EgressPolicy) -> None:
    server = serve(streaming(b"x" * 100 + b"\n", b"y" * 100 + b"\r\n"))
    with stream(client, server.url(), loopback, line_limit_bytes=101) as lines:
        assert [len(line) for line in lines] == [100, 100]


def test_an_endless_line_takes_no_memory(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.0 200 OK\r\n\r\n")
        while True:
            peer.send(b"x" * 65536)

    with stream(client, serve(script).url(), loopback) as lines, pytest.raises(LineTooLong):
        next(lines)


@pytest.mark.parametrize("end", [b"", b"5\r\nab", b"zz\r\n"])
def test_a_stream_cut_off_is_an_error(
    client: HttpClient, serve: Serve, loopback: EgressPolicy, end: bytes
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(HEAD + chunked(b"data: 1\n") + end)

    with stream(client, serve(script).url(), loopback) as lines:
        assert next(lines) == b"data: 1"
        with pytest.raises(ConnectionReset):
            list(lines)


def test_the_body_of_an_error_is_read_whole(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    def script(peer: Peer) -> None:
        while peer.request():
            peer.answer(b'{"error":\n1}', status="429 Too Many", headers="Retry-After: 3")

    server = serve(script)
    with stream(client, server.url(), loopback) as answer:
        assert (answer.status, answer.headers["retry-after"]) == (429, "3")
        assert answer.read(100) == b'{"error":\n1}'
    with stream(client, server.url(), loopback) as answer, pytest.raises(BodyTooLarge):
        answer.read(5)
    assert server.accepted == 1


def test_a_packed_stream_is_unpacked(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    packed = gzip.compress(b"line\n" * 50_000)

    def script(peer: Peer) -> None:
        peer.request()
        peer.answer(packed, headers="Content-Encoding: gzip")

    with stream(client, serve(script).url(), loopback) as lines:
        assert sum(line == b"line" for line in lines) == 50_000


def test_an_unusable_head_leaves_nothing_open(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"nonsense\r\n\r\n")
        peer.hang()

    server = serve(script)
    with pytest.raises(MalformedResponse):
        stream(client, server.url(), loopback)
    with pytest.raises(MalformedResponse):
        fetch(client, server.url(), loopback)
    assert server.accepted == 2
