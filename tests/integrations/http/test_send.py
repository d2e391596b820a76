"""Ordinary answers, whole."""

import gzip

import pytest

from integrations.http.client import HttpClient
from integrations.http.policy import EgressPolicy
from tests.integrations.http.calls import fetch
from tests.integrations.http.conftest import MakeClient, Serve
from tests.integrations.http.scripted_server import Peer, replying

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrailer: x\r\n\r\n"
)


def test_a_post_and_its_answer(client: HttpClient, serve: Serve, loopback: EgressPolicy) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.answer(b'{"a": 1}', status="201 Created", headers="X-Id: 7\r\nX-Id: 8")

    server = serve(script)
    url = server.url("/v1/items?q=1")
    answer = fetch(
        client, url, loopback, method="POST", body=b"{}", headers={"Authorization": "Bearer k"}
    )
    assert (answer.status, answer.body) == (201, b'{"a": 1}')
    assert answer.headers["x-id"] == "7, 8"
    assert 0 < answer.duration_ms < 5000
    head, body = server.requests[0].split(b"\r\n\r\n")
    assert body == b"{}"
    assert head.decode().split("\r\n") == [
        "POST /v1/items?q=1 HTTP/1.1",
        f"Host: 127.0.0.1:{server.port}",
        "Accept-Encoding: identity",
        "User-Agent: intmod",
        "Content-Length: 2",
        "Authorization: Bearer k",
    ]


def test_connections_are_used_again(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    server = serve(replying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    for _ in range(5):
        assert fetch(client, server.url(), loopback).body == b"ok"
    assert server.accepted == 1


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", b""),
        (b"HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b""),
        (CHUNKED, b"abcde"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", b"x"),
    ],
)
def test_every_framing_leaves_the_connection_usable(
    client: HttpClient, serve: Serve, loopback: EgressPolicy, raw: bytes, body: bytes
) -> None:
    server = serve(replying(raw))
    assert fetch(client, server.url(), loopback).body == body
    assert fetch(client, server.url(), loopback).body == body
    assert server.accepted == 1


def test_head_has_no_body(client: HttpClient, serve: Serve, loopback: EgressPolicy) -> None:
    server = serve(replying(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"))
    answer = fetch(client, server.url(), loopback, method="HEAD")
    assert (answer.body, answer.headers["Content-Length"]) == (b"", "500")
    fetch(client, server.url(), loopback, method="HEAD")
    assert server.accepted == 1


@pytest.mark.parametrize(
    "version", [b"HTTP/1.0 200 OK\r\n", b"HTTP/1.1 200 OK\r\nConnection: close\r\n"]
)
def test_a_body_may_end_with_the_connection(
    client: HttpClient, serve: Serve, loopback: EgressPolicy, version: bytes
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(version + b"\r\nall of it")

    server = serve(script)
    assert fetch(client, server.url(), loopback).body == b"all of it"
    assert fetch(client, server.url(), loopback).body == b"all of it"
    assert server.accepted == 2


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See", "307 Tmp", "308 Perm"])
def test_redirects_are_not_followed(
    client: HttpClient, serve: Serve, loopback: EgressPolicy, status: str
) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.answer(status=status, headers="Location: http://169.254.169.254/latest/meta-data/")

    server = serve(script)
    answer = fetch(client, server.url(), loopback)
    assert answer.status == int(status[:3])
    assert len(server.requests) == 1


def test_a_large_request_arrives_whole(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    server = serve(replying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    body = bytes(range(256)) * 20_000
    fetch(client, server.url(), loopback, method="PUT", body=body)
    assert server.requests[0].endswith(body)


def test_an_early_refusal_of_a_large_request_is_read(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    def script(peer: Peer) -> None:
        peer.sock.recv(100)
        peer.answer(b"too large", status="413 Content Too Large")
        peer.wait_for_hangup()

    server = serve(script)
    answer = fetch(client, server.url(), loopback, method="POST", body=b"x" * 5_000_000)
    assert (answer.status, answer.body) == (413, b"too large")


def test_proxies_of_the_environment_are_ignored(
    client: HttpClient, serve: Serve, loopback: EgressPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(replying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"))
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert fetch(client, server.url("/direct"), loopback).body == b"ok"
    assert server.requests[0].startswith(b"GET /direct HTTP/1.1\r\n")


def test_gzip_is_decoded_although_nobody_asked(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    packed = gzip.compress(b"one ") + gzip.compress(b"two" * 100_000)
    server = serve(
        replying(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%b"
            % (len(packed), packed)
        )
    )
    assert fetch(client, server.url(), loopback).body == b"one " + b"two" * 100_000
    fetch(client, server.url(), loopback)
    assert server.accepted == 1


def test_the_callers_user_agent_wins(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    server = serve(replying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    fetch(client, server.url(), loopback, headers={"user-agent": "mine"})
    assert server.requests[0].lower().count(b"user-agent") == 1


def test_pools_of_many_origins_are_bounded(
    make_client: MakeClient, serve: Serve, loopback: EgressPolicy
) -> None:
    client = make_client(max_origins=2)
    server = serve(replying(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    for host in ("a.example", "b.example", "c.example", "c.example", "b.example", "a.example"):
        fetch(client, server.url(host=host), loopback)
    assert server.accepted == 4
