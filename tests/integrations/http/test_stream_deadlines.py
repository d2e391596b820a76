"""The deadlines of an answer that is read line by line."""

import time
from collections.abc import Callable

import pytest

from integrations.http.client import HttpClient
from integrations.http.errors import Deadline
from integrations.http.policy import Deadlines, EgressPolicy
from tests.integrations.http.calls import stream
from tests.integrations.http.conftest import Serve
from tests.integrations.http.scripted_server import Peer
from tests.integrations.http.slow_servers import (
    CHUNKED_HEAD,
    FIRST_BYTE,
    IDLE,
    LIMIT_S,
    TOTAL,
    hangs_after_head,
    hangs_in_body,
    passes,
    silent,
    trickles_head,
)


def trickles_in_line(peer: Peer) -> None:
    peer.request()
    peer.send(CHUNKED_HEAD)
    peer.send(b"6\r\nfirst\n\r\n")
    for _ in range(200):
        peer.send(b"1\r\nx\r\n")
        if peer.server.over.wait(0.05):
            return


def only_comments(peer: Peer) -> None:
    peer.request()
    peer.send(CHUNKED_HEAD)
    while not peer.server.over.wait(0.05):
        peer.send(b"3\r\n:\n\n\r\n")


@pytest.mark.parametrize(
    ("script", "deadlines", "which"),
    [
        (hangs_after_head, FIRST_BYTE, Deadline.FIRST_BYTE),
        (hangs_in_body, IDLE, Deadline.IDLE),
        (trickles_in_line, IDLE, Deadline.IDLE),
        (trickles_in_line, TOTAL, Deadline.TOTAL),
        (only_comments, TOTAL, Deadline.TOTAL),
    ],
)
def test_streams(
    *,
    client: HttpClient,
    serve: Serve,
    loopback: EgressPolicy,
    script: Callable[[Peer], None],
    deadlines: Deadlines,
    which: Deadline,
) -> None:
    server = serve(script)
    with passes(which), stream(client, server.url(), loopback, deadlines=deadlines) as lines:
        for _ in lines:
            pass


@pytest.mark.parametrize("script", [silent, trickles_head])
def test_a_stream_without_a_head(
    client: HttpClient, serve: Serve, loopback: EgressPolicy, script: Callable[[Peer], None]
) -> None:
    server = serve(script)
    with passes(Deadline.FIRST_BYTE):
        stream(client, server.url(), loopback, deadlines=FIRST_BYTE)


def test_the_readers_own_pauses_are_not_the_servers(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(CHUNKED_HEAD + b"2\r\na\n\r\n")
        peer.server.over.wait(0.1)
        peer.send(b"2\r\nb\n\r\n")
        peer.server.over.wait(0.5)
        peer.send(b"0\r\n\r\n")

    with stream(client, serve(script).url(), loopback, deadlines=IDLE) as lines:
        assert next(lines) == b"a"
        time.sleep(LIMIT_S * 1.2)
        assert next(lines) == b"b"
        time.sleep(LIMIT_S * 1.2)
        assert list(lines) == []
