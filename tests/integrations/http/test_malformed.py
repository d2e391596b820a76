"""Answers that are not HTTP, or whose end is unclear."""

import gzip

import pytest

from integrations.http.client import HttpClient
from integrations.http.errors import MalformedResponse
from integrations.http.policy import EgressPolicy
from tests.integrations.http.calls import fetch
from tests.integrations.http.conftest import Serve
from tests.integrations.http.scripted_server import replying


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 abc\r\n\r\n",
        b"HTTP/3.0 200 OK\r\n\r\n",
        b"HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n0123456789",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon here\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 1\r\n\r\nx",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 20\r\n\r\n"
        + gzip.compress(b"cut short, quite long")[:20],
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 101 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n",
    ],
)
def test_what_is_not_http_is_refused(
    client: HttpClient, serve: Serve, loopback: EgressPolicy, raw: bytes
) -> None:
    server = serve(replying(raw))
    with pytest.raises(MalformedResponse) as caught:
        fetch(client, server.url("/?key=secret"), loopback)
    assert caught.value.code == "malformed_response"
    assert caught.value.sent
    assert not caught.value.retryable
    assert "secret" not in str(caught.value)
