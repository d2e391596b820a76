"""Names that lead to closed addresses, and names whose address changes."""

import socket
import threading
import time

import pytest

from integrations.http.client import HttpClient
from integrations.http.errors import (
    BlockedDestination,
    Deadline,
    DeadlineExceeded,
    ResolutionFailed,
)
from integrations.http.guard import Origin, PinnedOrigin, pin
from integrations.http.policy import Deadlines, EgressPolicy
from integrations.http.pool import Pools
from integrations.http.resolver import Resolver
from tests.integrations.http.calls import fetch
from tests.integrations.http.conftest import MakeClient, Serve
from tests.integrations.http.scripted_server import Peer

NAME = Origin("https", "api.example", 443)


def ok(peer: Peer) -> None:
    while peer.request():
        peer.answer(b"ok")


def test_all_answers_are_kept_in_order_and_once() -> None:
    resolver = Resolver(lambda *_: ("1.1.1.1", "2606:4700::0001", "1.1.1.1"))
    pinned = pin(NAME, EgressPolicy(), resolver=resolver, timeout_s=1)
    assert pinned == PinnedOrigin(NAME, ("1.1.1.1", "2606:4700::1"))


@pytest.mark.parametrize(
    "answers",
    [("10.0.0.1",), ("1.1.1.1", "169.254.169.254"), ("::1", "1.1.1.1"), ("1.1.1.1", "fe80::1%2")],
)
def test_one_closed_answer_refuses_the_name(answers: tuple[str, ...]) -> None:
    with pytest.raises(BlockedDestination) as caught:
        pin(NAME, EgressPolicy(), resolver=Resolver(lambda *_: answers), timeout_s=1)
    assert caught.value.code == "blocked_destination"
    assert not caught.value.retryable
    assert not any(answer in str(caught.value) for answer in answers)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "169.254.169.254", "::ffff:10.0.0.1"])
def test_literals_are_judged_too(host: str) -> None:
    with pytest.raises(BlockedDestination):
        pin(Origin("http", host, 80), EgressPolicy(), resolver=Resolver(), timeout_s=1)


def test_nothing_private_is_called_by_default(client: HttpClient, serve: Serve) -> None:
    server = serve(ok)
    with pytest.raises(BlockedDestination):
        fetch(client, server.url(), EgressPolicy())
    assert server.accepted == 0


def test_the_connection_goes_to_the_judged_address(
    make_client: MakeClient, serve: Serve, loopback: EgressPolicy
) -> None:
    # The name changes to a closed address right after it was judged.
    client = make_client(("127.0.0.1",), ("127.0.0.2",))
    server = serve(ok)
    assert fetch(client, server.url(host="rebind.example"), loopback).body == b"ok"
    assert fetch(client, server.url(host="rebind.example"), loopback).body == b"ok"
    assert f"Host: rebind.example:{server.port}\r\n".encode() in server.requests[0]


def test_a_name_is_judged_again_when_its_answer_is_old(
    make_client: MakeClient, serve: Serve, loopback: EgressPolicy
) -> None:
    client = make_client(("127.0.0.1",), ("127.0.0.2",), dns_ttl_s=0.0)
    server = serve(ok)
    fetch(client, server.url(host="rebind.example"), loopback)
    with pytest.raises(BlockedDestination):
        fetch(client, server.url(host="rebind.example"), loopback)


def test_the_same_answer_keeps_the_connection(
    make_client: MakeClient, serve: Serve, loopback: EgressPolicy
) -> None:
    client = make_client(dns_ttl_s=0.0)
    server = serve(ok)
    for _ in range(3):
        fetch(client, server.url(host="same.example"), loopback)
    assert server.accepted == 1


def test_another_peer_than_the_judged_one_is_refused(
    client: HttpClient, serve: Serve, loopback: EgressPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(ok)
    monkeypatch.setattr(socket.socket, "getpeername", lambda _: ("127.0.0.9", 1))
    with pytest.raises(BlockedDestination):
        fetch(client, server.url(), loopback)
    assert server.requests == []


def test_a_lookup_that_hangs_ends_with_the_deadline(loopback: EgressPolicy) -> None:
    release = threading.Event()

    def hang(host: str, port: int) -> tuple[str, ...]:
        release.wait(20)
        return ("127.0.0.1",)

    client = HttpClient(Pools(Resolver(hang)))
    started = time.monotonic()
    with pytest.raises(DeadlineExceeded) as caught:
        fetch(client, "http://slow.example/", loopback, deadlines=Deadlines(connect_s=0.2))
    release.set()
    assert time.monotonic() - started < 10
    assert caught.value.which is Deadline.CONNECT
    assert not caught.value.sent


def test_lookups_of_one_name_are_shared_and_those_of_many_bounded() -> None:
    release = threading.Event()
    asked: list[str] = []

    def ask(host: str, port: int) -> tuple[str, ...]:
        asked.append(host)
        release.wait(20)
        return ("1.1.1.1",)

    resolver = Resolver(ask, most_at_once=1)
    for _ in range(3):
        with pytest.raises(DeadlineExceeded):
            resolver.lookup("a.example", 80, timeout_s=0.01)
    with pytest.raises(ResolutionFailed):
        resolver.lookup("b.example", 80, timeout_s=0.01)
    release.set()
    assert resolver.lookup("a.example", 80, timeout_s=5) == ("1.1.1.1",)
    assert asked[0] == "a.example"
    assert set(asked) == {"a.example"}


@pytest.mark.parametrize(
    ("error", "retryable"),
    [
        (socket.gaierror(socket.EAI_NONAME, "unknown"), False),
        (socket.gaierror(socket.EAI_AGAIN, "later"), True),
        (UnicodeError("label too long"), True),
    ],
)
def test_names_that_cannot_be_looked_up(error: Exception, retryable: bool) -> None:
    def ask(host: str, port: int) -> tuple[str, ...]:
        raise error

    with pytest.raises(ResolutionFailed) as caught:
        Resolver(ask).lookup("none.example", 80, timeout_s=1)
    assert caught.value.retryable is retryable
    assert not caught.value.sent


def test_a_name_without_addresses() -> None:
    with pytest.raises(ResolutionFailed):
        Resolver(lambda *_: ()).lookup("empty.example", 80, timeout_s=1)
