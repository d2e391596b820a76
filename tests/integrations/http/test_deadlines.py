"""Every deadline holds, whatever the server does, and the error says which one passed."""

import contextlib
import socket
from collections.abc import Callable
from dataclasses import replace

import pytest

from integrations.http.client import HttpClient
from integrations.http.errors import Deadline
from integrations.http.policy import Deadlines, EgressPolicy
from tests.integrations.http.calls import RELAXED, fetch
from tests.integrations.http.conftest import Serve
from tests.integrations.http.scripted_server import Peer
from tests.integrations.http.slow_servers import (
    FIRST_BYTE,
    IDLE,
    LIMIT_S,
    TOTAL,
    endless_continue,
    hangs_after_head,
    hangs_in_body,
    hangs_in_body_later,
    never_reads,
    passes,
    silent,
    trickles_body,
    trickles_chunk_size,
    trickles_head,
    trickles_one_header,
    trickles_trailers,
    trickles_until_close,
)


@pytest.mark.parametrize(
    ("script", "deadlines", "which"),
    [
        (silent, FIRST_BYTE, Deadline.FIRST_BYTE),
        (silent, TOTAL, Deadline.TOTAL),
        (trickles_head, FIRST_BYTE, Deadline.FIRST_BYTE),
        (trickles_head, TOTAL, Deadline.TOTAL),
        (trickles_one_header, FIRST_BYTE, Deadline.FIRST_BYTE),
        (endless_continue, FIRST_BYTE, Deadline.FIRST_BYTE),
        (hangs_after_head, FIRST_BYTE, Deadline.FIRST_BYTE),
        (hangs_after_head, TOTAL, Deadline.TOTAL),
        (hangs_in_body, IDLE, Deadline.IDLE),
        (hangs_in_body_later, IDLE, Deadline.IDLE),
        (hangs_in_body, TOTAL, Deadline.TOTAL),
        (trickles_body, TOTAL, Deadline.TOTAL),
        (trickles_until_close, TOTAL, Deadline.TOTAL),
        (trickles_chunk_size, FIRST_BYTE, Deadline.FIRST_BYTE),
        (trickles_chunk_size, TOTAL, Deadline.TOTAL),
        (trickles_trailers, TOTAL, Deadline.TOTAL),
    ],
)
def test_whole_answers(
    *,
    client: HttpClient,
    serve: Serve,
    loopback: EgressPolicy,
    script: Callable[[Peer], None],
    deadlines: Deadlines,
    which: Deadline,
) -> None:
    server = serve(script)
    with passes(which):
        fetch(client, server.url(), loopback, deadlines=deadlines)


def test_a_steady_trickle_is_not_idle(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n")
        peer.trickle(b"twelve bytes")

    answer = fetch(client, serve(script).url(), loopback, deadlines=IDLE)
    assert answer.body == b"twelve bytes"
    assert answer.duration_ms > 500


def test_a_server_that_does_not_read(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    server = serve(never_reads)
    with passes(Deadline.FIRST_BYTE):
        fetch(
            client,
            server.url(),
            loopback,
            method="POST",
            body=b"x" * 30_000_000,
            deadlines=FIRST_BYTE,
        )


def test_the_clock_starts_anew_on_a_kept_connection(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.answer(b"ok")
        silent(peer)

    server = serve(script)
    fetch(client, server.url(), loopback)
    with passes(Deadline.FIRST_BYTE):
        fetch(client, server.url(), loopback, deadlines=FIRST_BYTE)
    assert server.accepted == 1


def test_a_full_backlog(client: HttpClient, loopback: EgressPolicy) -> None:
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                waiting.connect(listener.getsockname())
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        deadlines = replace(RELAXED, connect_s=LIMIT_S)
        with passes(Deadline.CONNECT, sent=False):
            fetch(client, url, loopback, deadlines=deadlines)
        with passes(Deadline.TOTAL, sent=False):
            fetch(client, url, loopback, deadlines=TOTAL)


@pytest.mark.parametrize("data", [b"", b"\x16\x03\x03\x40\x00" + b"\x02\x00\x3f\xfc" * 200])
def test_a_tls_handshake_that_does_not_end(
    client: HttpClient, serve: Serve, loopback: EgressPolicy, data: bytes
) -> None:
    def script(peer: Peer) -> None:
        peer.trickle(data)
        peer.hang()

    url = serve(script).url(scheme="https")
    with passes(Deadline.CONNECT, sent=False):
        fetch(client, url, loopback, deadlines=replace(RELAXED, connect_s=LIMIT_S))


@pytest.mark.parametrize("name", ["connect_s", "first_byte_s", "idle_s", "total_s"])
@pytest.mark.parametrize("value", [0, -1, float("nan")])
def test_deadlines_are_above_zero(name: str, value: float) -> None:
    with pytest.raises(ValueError, match="above zero"):
        Deadlines(**{name: value})
