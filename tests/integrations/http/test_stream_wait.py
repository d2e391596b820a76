"""Waiting for the next line no longer than one has patience."""

import gzip
import threading
import time

import pytest

from integrations.http.client import HttpClient
from integrations.http.errors import Deadline
from integrations.http.policy import EgressPolicy
from tests.integrations.http.calls import stream
from tests.integrations.http.conftest import Serve
from tests.integrations.http.scripted_server import Peer
from tests.integrations.http.slow_servers import CHUNKED_HEAD, IDLE, TOTAL, hangs_in_body, passes

SHORT_S = 0.05


def until_ready(lines: object) -> int:
    """Count the waits that ended without a line."""
    waits = 0
    while not lines.wait(SHORT_S):  # type: ignore[attr-defined]
        waits += 1
    return waits


@pytest.mark.parametrize("framing", ["chunked", "length", "close"])
def test_it_says_whether_the_next_line_is_there(
    client: HttpClient, serve: Serve, loopback: EgressPolicy, framing: str
) -> None:
    go_on = threading.Event()
    heads = {
        "chunked": CHUNKED_HEAD,
        "length": b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n",
        "close": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    }

    def script(peer: Peer) -> None:
        peer.request()
        pieces = [b"one\ntw", b"o\n\n"]
        if framing == "chunked":
            pieces = [b"6\r\n" + pieces[0] + b"\r\n", b"3\r\n" + pieces[1] + b"\r\n0\r\n\r\n"]
        elif framing == "length":
            pieces[1] += b"x\n"
        peer.send(heads[framing] + pieces[0])
        go_on.wait(30)
        peer.send(pieces[1])

    with stream(client, serve(script).url(), loopback) as lines:
        until_ready(lines)
        assert next(lines) == b"one"
        began = time.monotonic()
        assert lines.wait(SHORT_S) is False
        assert lines.wait(0) is False
        assert time.monotonic() - began < 10
        go_on.set()
        until_ready(lines)
        assert next(lines) == b"two"
        assert lines.wait(0) is True
        assert next(lines) == b""
        until_ready(lines)
        assert list(lines) == ([b"x"] if framing == "length" else [])
        assert lines.wait(0) is True


def test_waiting_does_not_renew_the_idle_deadline(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    opened = stream(client, serve(hangs_in_body).url(), loopback, deadlines=IDLE)
    with opened as lines, passes(Deadline.IDLE):
        while lines.wait(SHORT_S):
            next(lines)
        until_ready(lines)


def test_a_line_that_trickles_in_is_waited_for_in_bits(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(CHUNKED_HEAD)
        for letter in b"slowly\n":
            peer.send(b"1\r\n%c\r\n" % letter)
            time.sleep(SHORT_S * 1.5)
        peer.send(b"0\r\n\r\n")

    with stream(client, serve(script).url(), loopback) as lines:
        assert until_ready(lines) >= 2
        assert next(lines) == b"slowly"


def test_a_packed_answer_is_read_all_the_same(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    packed = gzip.compress(b"a\nb\n")
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(packed)}\r\n\r\n"

    def script(peer: Peer) -> None:
        peer.request()
        peer.send(head.encode() + packed)

    with stream(client, serve(script).url(), loopback) as lines:
        assert lines.wait(SHORT_S)
        assert list(lines) == [b"a", b"b"]


def test_the_total_deadline_ends_the_waiting(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    opened = stream(client, serve(hangs_in_body).url(), loopback, deadlines=TOTAL)
    with opened as lines, passes(Deadline.TOTAL):
        while lines.wait(SHORT_S):
            next(lines)
        until_ready(lines)
