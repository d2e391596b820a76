"""Servers that take their time, and the check that a call does not wait for them."""

import contextlib
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from integrations.http.errors import Deadline, DeadlineExceeded
from tests.integrations.http.calls import RELAXED
from tests.integrations.http.scripted_server import Peer

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 1000\r\n\r\n"
CHUNKED_HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
LIMIT_S = 0.3

FIRST_BYTE = replace(RELAXED, first_byte_s=LIMIT_S)
IDLE = replace(RELAXED, idle_s=LIMIT_S)
TOTAL = replace(RELAXED, total_s=LIMIT_S)


@contextlib.contextmanager
def passes(which: Deadline, *, sent: bool = True) -> Iterator[None]:
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded) as caught:
        yield
    assert LIMIT_S * 0.9 < time.monotonic() - started < LIMIT_S + 8
    assert caught.value.which is which
    assert caught.value.code == which.value
    assert caught.value.sent is sent
    assert caught.value.retryable


def silent(peer: Peer) -> None:
    peer.request()
    peer.hang()


def never_reads(peer: Peer) -> None:
    peer.hang()


def trickles_head(peer: Peer) -> None:
    peer.request()
    peer.trickle(HEAD)


def trickles_one_header(peer: Peer) -> None:
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\nX: ")
    peer.trickle(b"y" * 1000)


def endless_continue(peer: Peer) -> None:
    peer.request()
    while not peer.server.over.wait(0.01):
        peer.send(b"HTTP/1.1 100 Continue\r\n\r\n")


def hangs_after_head(peer: Peer) -> None:
    peer.request()
    peer.send(HEAD)
    peer.hang()


def hangs_in_body(peer: Peer) -> None:
    peer.request()
    peer.send(HEAD + b"some")
    peer.hang()


def hangs_in_body_later(peer: Peer) -> None:
    peer.request()
    peer.send(HEAD)
    time.sleep(0.05)
    peer.send(b"some")
    peer.hang()


def trickles_body(peer: Peer) -> None:
    peer.request()
    peer.send(HEAD)
    peer.trickle(b"x" * 1000)


def trickles_chunk_size(peer: Peer) -> None:
    peer.request()
    peer.send(CHUNKED_HEAD)
    peer.trickle(b"0" * 1000)


def trickles_trailers(peer: Peer) -> None:
    peer.request()
    peer.send(CHUNKED_HEAD + b"1\r\nx\r\n0\r\n")
    peer.trickle(b"T: x\r\n" * 1000)


def trickles_until_close(peer: Peer) -> None:
    peer.request()
    peer.send(b"HTTP/1.0 200 OK\r\n\r\n")
    peer.trickle(b"x" * 1000)
