"""Bodies that are too large, on the wire or once unpacked."""

import gzip
import tracemalloc
import zlib

import pytest

from integrations.http.client import HttpClient
from integrations.http.errors import BodyTooLarge
from integrations.http.gunzip import Gunzip
from integrations.http.policy import EgressPolicy
from tests.integrations.http.calls import fetch
from tests.integrations.http.conftest import Serve
from tests.integrations.http.scripted_server import Peer


def announces(peer: Peer) -> None:
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n")
    peer.hang()


def floods_in_chunks(peer: Peer) -> None:
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        peer.send(b"10000\r\n" + b"x" * 65536 + b"\r\n")


def floods_in_one_chunk(peer: Peer) -> None:
    peer.request()
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffff\r\n")
    while True:
        peer.send(b"x" * 65536)


def floods_until_close(peer: Peer) -> None:
    peer.request()
    peer.send(b"HTTP/1.0 200 OK\r\n\r\n")
    while True:
        peer.send(b"x" * 65536)


@pytest.mark.parametrize(
    "script", [announces, floods_in_chunks, floods_in_one_chunk, floods_until_close]
)
def test_too_many_bytes(
    client: HttpClient, serve: Serve, loopback: EgressPolicy, script: object
) -> None:
    server = serve(script)
    with pytest.raises(BodyTooLarge) as caught:
        fetch(client, server.url(), loopback, limit=100_000)
    assert caught.value.code == "body_too_large"
    assert caught.value.sent
    assert not caught.value.retryable


@pytest.mark.parametrize("coding", ["", "Content-Encoding: gzip"])
@pytest.mark.parametrize(("length", "fits"), [(100_000, True), (100_001, False)])
def test_the_limit_is_exact(
    *,
    client: HttpClient,
    serve: Serve,
    loopback: EgressPolicy,
    coding: str,
    length: int,
    fits: bool,
) -> None:
    body = b"x" * length

    def script(peer: Peer) -> None:
        peer.request()
        peer.answer(gzip.compress(body) if coding else body, headers=coding)

    server = serve(script)
    if fits:
        assert fetch(client, server.url(), loopback, limit=100_000).body == body
    else:
        with pytest.raises(BodyTooLarge):
            fetch(client, server.url(), loopback, limit=100_000)


def test_a_gzip_bomb_is_not_unpacked(
    client: HttpClient, serve: Serve, loopback: EgressPolicy
) -> None:
    packer = zlib.compressobj(9, wbits=31)
    megabyte = bytes(1 << 20)
    bomb = b"".join(packer.compress(megabyte) for _ in range(200)) + packer.flush()

    def script(peer: Peer) -> None:
        peer.request()
        peer.answer(bomb, headers="Content-Encoding: gzip")

    server = serve(script)
    tracemalloc.start()
    with pytest.raises(BodyTooLarge):
        fetch(client, server.url(), loopback, limit=1 << 20)
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak_bytes < 8 << 20


@pytest.mark.parametrize("feed_bytes", [1, 7, 1000, 1 << 20])
def test_unpacking_does_not_depend_on_the_pieces(feed_bytes: int) -> None:
    whole = b"abc" * 5000 + bytes(range(256)) * 40
    packed = gzip.compress(whole) + gzip.compress(b"") + gzip.compress(b"end")
    gunzip = Gunzip(piece_bytes=100)
    pieces = []
    for start in range(0, len(packed), feed_bytes):
        gunzip.feed(packed[start : start + feed_bytes])
        while piece := gunzip.take():
            pieces.append(piece)
    pieces.append(gunzip.finish())
    assert b"".join(pieces) == whole + b"end"
    assert max(map(len, pieces)) <= 100


def test_a_packed_body_that_ends_too_early() -> None:
    gunzip = Gunzip(piece_bytes=100)
    gunzip.feed(gzip.compress(b"hello")[:-1])
    gunzip.take()
    with pytest.raises(zlib.error):
        gunzip.finish()
