"""Connections that break, go stale, or are shared by threads and forks."""

import contextlib
import os
import socket
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network

import pytest

from integrations.http.client import HttpClient
from integrations.http.errors import ConnectFailed, ConnectionReset
from integrations.http.policy import EgressPolicy
from integrations.http.wire import DeadlineSocket
from tests.integrations.http.calls import fetch, stream
from tests.integrations.http.conftest import MakeClient, Serve
from tests.integrations.http.scripted_server import Peer


def ok(peer: Peer) -> None:
    while peer.request():
        peer.answer(b"ok")


def ok_once(peer: Peer) -> None:
    peer.request()
    peer.answer(b"ok")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def test_nobody_listens(client: HttpClient, loopback: EgressPolicy) -> None:
    with pytest.raises(ConnectFailed) as caught:
        fetch(client, f"http://127.0.0.1:{free_port()}/?key=secret", loopback)
    assert caught.value.code == "connect_failed"
    assert caught.value.retryable
    assert not caught.value.sent
    assert "secret" not in str(caught.value)


def test_a_connection_closed_while_idle_is_noticed(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    server = serve(ok_once)
    for _ in range(3):
        assert fetch(client, server.url(), loopback, method="POST", body=b"x").body == b"ok"
        time.sleep(0.3)
    assert server.accepted == 3


def test_a_connection_idle_for_too_long_is_left_alone(
    make_client: MakeClient, serve: Serve, loopback: EgressPolicy
) -> None:
    client = make_client(max_idle_s=0.05)
    server = serve(ok)
    fetch(client, server.url(), loopback)
    time.sleep(0.1)
    fetch(client, server.url(), loopback)
    assert server.accepted == 2


def test_connections_of_a_burst_are_closed_when_traffic_no_longer_needs_them(
    make_client: MakeClient, serve: Serve, loopback: EgressPolicy
) -> None:
    client = make_client(max_idle_s=0.3)
    together = threading.Barrier(3)
    hung_up: list[bool] = []

    def script(peer: Peer) -> None:
        first = True
        while peer.request():
            if first:
                together.wait(30)
            first = False
            peer.answer(b"ok")
        hung_up.append(True)

    server = serve(script)
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda _: fetch(client, server.url(), loopback), range(3)))
    until = time.monotonic() + 30
    while len(hung_up) < 2:
        assert time.monotonic() < until
        fetch(client, server.url(), loopback)
        time.sleep(0.02)
    # What goes on being used is kept, unless the machine slept meanwhile.
    assert server.accepted >= 3


def test_bytes_nobody_asked_for_do_not_become_the_next_answer(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    def script(peer: Peer) -> None:
        while peer.request():
            peer.answer(b"ok")
            time.sleep(0.05)
            peer.answer(b"unasked")

    server = serve(script)
    for _ in range(2):
        assert fetch(client, server.url(), loopback).body == b"ok"
        time.sleep(0.5)
    assert server.accepted == 2


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Le",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 200 OK\r\nX: y\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nha",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nwhole\r\n",
    ],
)
@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_connection_broken_in_the_answer(
    client: HttpClient, serve: Serve, loopback: EgressPolicy, data: bytes, how: str
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(data)
        if how == "reset":
            time.sleep(0.05)
            peer.reset()

    with pytest.raises(ConnectionReset) as caught:
        fetch(client, serve(script).url(), loopback)
    assert caught.value.code == "connection_reset"
    assert caught.value.retryable
    assert caught.value.sent


def test_the_next_address_is_tried(
    make_client: MakeClient, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(ok)
    connect = socket.socket.connect

    def refuse_the_first(sock: socket.socket, address: tuple[str, int]) -> None:
        if address[0] == "127.0.0.9":
            raise ConnectionRefusedError
        connect(sock, address)

    monkeypatch.setattr(socket.socket, "connect", refuse_the_first)
    open_net = EgressPolicy(allowed_networks=(ip_network("127.0.0.0/8"),))
    client = make_client(("127.0.0.9", "127.0.0.1"))
    assert fetch(client, server.url(host="two.example"), open_net).body == b"ok"


def test_small_requests_leave_in_one_piece(
    client: HttpClient, serve: Serve, loopback: EgressPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    pieces: list[bytes] = []
    sendall = DeadlineSocket.sendall

    def record(sock: DeadlineSocket, data: bytes) -> None:
        pieces.append(data)
        sendall(sock, data)

    monkeypatch.setattr(DeadlineSocket, "sendall", record)
    fetch(client, serve(ok).url(), loopback, method="POST", body=b"the body")
    assert [piece[-8:] for piece in pieces] == [b"the body"]


def test_ipv6(client: HttpClient) -> None:
    try:
        listener = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 here")
    received: list[bytes] = []

    def answer() -> None:
        sock, _ = listener.accept()
        with sock:
            received.append(sock.recv(65536))
            sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")

    thread = threading.Thread(target=answer)
    thread.start()
    port = listener.getsockname()[1]
    policy = EgressPolicy(allowed_networks=(ip_network("::1/128"),))
    assert fetch(client, f"http://[0:0::1]:{port}/", policy).body == b"ok"
    thread.join()
    listener.close()
    assert f"Host: [::1]:{port}\r\n".encode() in received[0]


def test_many_threads(make_client: MakeClient, serve: Serve, loopback: EgressPolicy) -> None:
    def script(peer: Peer) -> None:
        while request := peer.request():
            peer.answer(request.partition(b" ")[2].partition(b" ")[0])

    client = make_client(pool_size=4, dns_ttl_s=0.01)
    server = serve(script)

    def call(number: int) -> bool:
        path = f"/{number}"
        if number % 3:
            return fetch(client, server.url(path, host="h.example"), loopback).body == path.encode()
        with stream(client, server.url(path, host="h.example"), loopback) as lines:
            return list(lines) == [path.encode()]

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(call, range(800)))


def test_closing_the_client_while_calls_run(
    make_client: MakeClient, serve: Serve, loopback: EgressPolicy
) -> None:
    client = make_client()
    server = serve(ok)
    stop = threading.Event()

    def close() -> None:
        while not stop.wait(0.001):
            client.close()

    closer = threading.Thread(target=close)
    closer.start()
    with ThreadPoolExecutor(4) as threads:
        calls = [threads.submit(fetch, client, server.url(), loopback) for _ in range(200)]
        assert {call.result().body for call in calls} == {b"ok"}
    stop.set()
    closer.join()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_makes_connections_of_its_own(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    server = serve(ok)
    url = server.url(host="fork.example")
    fetch(client, url, loopback)
    assert server.accepted == 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            whole = all(fetch(client, url, loopback).body == b"ok" for _ in range(20))
            os._exit(0 if whole else 1)
        os._exit(2)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert server.accepted == 2
    # The parent's connection is as good as before.
    assert fetch(client, url, loopback).body == b"ok"
    assert server.accepted == 2
