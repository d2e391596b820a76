"""What receivers do to a delivery: a raw socket at the other side, and what is left in the rows."""

import gzip
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from standardwebhooks import Webhook

from authz.models import Project
from integrations.http.client import HttpClient
from integrations.http.pool import Pools
from integrations.http.resolver import Resolver
from integrations.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint
from integrations.webhooks import requests
from integrations.webhooks.services import publish
from tests.integrations.connections.test_outside_world import (
    METADATA,
    _certificate,
    answers,
    status,
)
from tests.integrations.http.scripted_server import Peer, Script
from tests.integrations.http.slow_servers import HEAD, hangs_after_head, trickles_body
from tests.integrations.webhooks.conftest import SECRET, Register, Serve
from tests.integrations.webhooks.delivering import (
    BROKEN,
    FAR,
    NO_CONTENT,
    OK,
    attempt_due,
    only,
    reload,
    wait_s,
)

State = WebhookDelivery.State
Resolve = Callable[..., None]


@pytest.fixture
def tell(project: Project) -> Callable[[], WebhookDelivery]:
    """Publish an event, attempt what is due once, and give the only delivery."""

    def publish_and_attempt() -> WebhookDelivery:
        publish("order.created", {"total": 3}, project=project)
        attempt_due()
        return only()

    return publish_and_attempt


Tell = Callable[[], WebhookDelivery]


def failed(delivery: WebhookDelivery, code: str, http_status: int | None = None) -> DeliveryAttempt:
    """Check that the first attempt failed so and the second is due in about 5 s."""
    attempt = delivery.attempts.get()
    assert (attempt.error_code, attempt.status, attempt.is_error) == (code, http_status, True)
    assert (delivery.state, delivery.last_error_code) == (State.PENDING, code)
    ended = attempt.started_at + timedelta(milliseconds=attempt.latency_ms)
    assert 4.0 <= wait_s(delivery, ended) <= 6.0 + 30
    assert reload(delivery.endpoint).consecutive_failures == 1
    return attempt


def test_it_is_signed_as_the_published_verifier_wants_it(
    serve: Serve, register: Register, tell: Tell
) -> None:
    server = serve(OK)
    register(server, headers={"X-Team": "search"})
    delivery = tell()
    assert (delivery.state, delivery.attempt_count, delivery.last_status) == ("succeeded", 1, 200)
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    line, *rest = head.decode().split("\r\n")
    assert line == "POST /hooks?token=hidden HTTP/1.1"
    headers = {name.lower(): value for name, _, value in (row.partition(": ") for row in rest)}
    verified = Webhook(SECRET).verify(body, headers)
    assert verified["data"] == {"total": 3}
    assert headers["webhook-id"] == verified["id"] == delivery.message.message_id
    assert (headers["content-type"], headers["x-team"]) == ("application/json", "search")
    attempt = delivery.attempts.get()
    assert (attempt.number, attempt.response_excerpt, attempt.error) == (1, "fine", "")
    assert attempt.destination == server.url("/hooks")
    assert attempt.latency_ms > 0


def test_500_then_200(serve: Serve, register: Register, tell: Tell) -> None:
    server = serve(answers(status("500 Internal Server Error", body="oh no"), status("200 OK")))
    register(server)
    attempt = failed(tell(), "http_500", 500)
    assert attempt.response_excerpt == "oh no"
    assert attempt_due() == [], "it is not due yet"
    attempt_due(within=FAR)
    delivery = only()
    assert (delivery.state, delivery.attempt_count) == (State.SUCCEEDED, 2)
    assert delivery.ended_at is not None
    assert reload(delivery.endpoint).consecutive_failures == 0
    ids = {
        request.partition(b"webhook-id: ")[2].partition(b"\r\n")[0] for request in server.requests
    }
    assert ids == {delivery.message.message_id.encode()}, "the same on every attempt"


@pytest.mark.parametrize("answer", [NO_CONTENT, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"])
def test_204_and_an_empty_body(answer: bytes, serve: Serve, register: Register, tell: Tell) -> None:
    register(serve(answer))
    delivery = tell()
    assert delivery.state == State.SUCCEEDED
    assert delivery.attempts.get().response_excerpt == ""


@pytest.mark.parametrize("script", [hangs_after_head, trickles_body])
def test_a_hang_after_the_head_and_a_byte_a_second(
    script: Script, serve: Serve, register: Register, tell: Tell
) -> None:
    register(serve(script), timeout_s=0.4)
    failed(tell(), "total_timeout")


def test_a_connect_that_hangs(register: Register, tell: Tell, client: Any) -> None:
    """A look-up that hangs is a connect that hangs, as a host that drops packets is."""
    over = threading.Event()

    def ask(host: str, port: int) -> tuple[str, ...]:
        over.wait(5)
        return ("127.0.0.1",)

    client(ask)
    register("http://slow.example", timeout_s=0.3)
    delivery = tell()
    over.set()
    assert delivery.last_error_code in {"connect_timeout", "total_timeout"}
    failed(delivery, delivery.last_error_code)


def test_nobody_listens(serve: Serve, register: Register, tell: Tell) -> None:
    with serve(OK) as server:
        pass
    register(server)
    failed(tell(), "connect_failed")


def test_a_reset_in_the_middle(serve: Serve, register: Register, tell: Tell) -> None:
    def script(peer: Peer) -> None:
        peer.request()
        peer.send(HEAD + b"half")
        peer.reset()

    register(serve(script))
    failed(tell(), "connection_reset")


def after(delay: timedelta) -> str:
    return format_datetime(datetime.now(UTC) + delay, usegmt=True)


@pytest.mark.parametrize(
    ("retry_after", "least_s", "most_s"),
    [
        ("120", 119, 180),
        (lambda: after(timedelta(minutes=10)), 540, 700),
        (lambda: after(timedelta(days=-1)), 4, 60),
        ("garbage", 4, 60),
        ("-5", 4, 60),
        ("Mon, 99 Foo 2026", 4, 60),
        ("315360000", 86395, 86460),
        (lambda: after(timedelta(days=3650)), 86395, 86460),
    ],
)
def test_429_and_what_it_asks_for(
    retry_after: Any, least_s: float, most_s: float, serve: Serve, register: Register, tell: Tell
) -> None:
    value = retry_after() if callable(retry_after) else retry_after
    register(serve(status("429 Too Many Requests", f"Retry-After: {value}").encode()))
    began = timezone.now()
    delivery = tell()
    assert delivery.last_error_code == "http_429"
    assert least_s <= wait_s(delivery, began) <= most_s


def test_a_redirect_is_a_failure_and_nobody_follows_it(
    serve: Serve, register: Register, tell: Tell
) -> None:
    server = serve(status("302 Found", f"Location: {METADATA}").encode())
    register(server)
    failed(tell(), "http_302", 302)
    assert server.accepted == 1


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Let names be looked up as the test says."""
    made = []

    def use(ask: Callable[[str, int], tuple[str, ...]]) -> None:
        own = HttpClient(Pools(Resolver(ask)))
        made.append(own)
        monkeypatch.setattr(requests, "open_stream", own.open_stream)

    yield use
    for own in made:
        own.close()


def given_up(delivery: WebhookDelivery, code: str) -> None:
    """Check that it is our own dead letter, for which the endpoint is not blamed."""
    assert (delivery.state, delivery.last_error_code) == (State.FAILED, code)
    assert delivery.attempts.get().status is None
    assert delivery.next_attempt_at is None
    assert reload(delivery.endpoint).consecutive_failures == 0


@pytest.mark.parametrize("address", ["10.0.0.1", "169.254.169.254", "fd00::1", "::ffff:10.0.0.1"])
def test_a_name_that_leads_inside(
    address: str, register: Register, tell: Tell, client: Any
) -> None:
    client(lambda host, port: ("93.184.216.34", address))
    register("http://inside.example")
    delivery = tell()
    given_up(delivery, "blocked_destination")
    assert address not in delivery.attempts.get().error


def test_a_name_rebound_between_check_and_connect_gains_nothing(
    serve: Serve, register: Register, project: Project, tell: Tell, client: Any
) -> None:
    server = serve(OK)
    answers_left = [("127.0.0.1",), ("169.254.169.254",)]
    client(lambda host, port: answers_left.pop(0) if len(answers_left) > 1 else answers_left[0])
    register(f"http://rebound.example:{server.port}")
    assert tell().state == State.SUCCEEDED, "one look-up serves check and connection"
    client(lambda host, port: ("169.254.169.254",))
    publish("order.created", {}, project=project)
    attempt_due()
    delivery = WebhookDelivery.objects.order_by("pk").last()
    assert delivery is not None
    given_up(delivery, "blocked_destination")
    assert len(server.requests) == 1


def test_a_gzip_bomb_is_not_unpacked_and_its_status_counts(
    serve: Serve, register: Register, tell: Tell
) -> None:
    bomb = gzip.compress(b"0" * 20_000_000)
    head = "HTTP/1.1 {}\r\nContent-Encoding: gzip\r\nContent-Length: {}\r\n\r\n"

    def script(peer: Peer) -> None:
        line = "200 OK" if peer.server.accepted == 1 else "500 Oh No"
        peer.request()
        peer.send(head.format(line, len(bomb)).encode() + bomb)

    register(serve(script))
    delivery = tell()
    assert delivery.state == State.SUCCEEDED
    assert delivery.attempts.get().response_excerpt == "(a long answer)"


def test_a_wrong_name_in_the_certificate(
    serve: Serve, register: Register, tell: Tell, tmp_path: Path
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(_certificate(tmp_path))
    server = serve(OK, tls=tls)
    register(server.url("/hooks", scheme="https"))
    failed(tell(), "tls_failed")
    assert server.requests == []


def test_no_http_at_all(serve: Serve, register: Register, tell: Tell) -> None:
    register(serve(b"220 smtp ready\r\n\r\n"))
    failed(tell(), "malformed_response")


def test_what_a_receiver_says_is_kept_redacted(
    serve: Serve, register: Register, tell: Tell
) -> None:
    said = f"key {SECRET} of ada@shop.example \x00 " + "x" * 5000
    register(serve(status("400 Bad Request", body=said).encode()))
    excerpt = tell().attempts.get().response_excerpt
    assert SECRET not in excerpt
    assert "ada@" not in excerpt
    assert len(excerpt) == 1000
    assert "\x00" not in excerpt


def test_410_disables_the_endpoint_at_once(
    serve: Serve, register: Register, project: Project, tell: Tell
) -> None:
    register(serve(status("410 Gone").encode()))
    delivery = tell()
    endpoint = reload(delivery.endpoint)
    assert (endpoint.state, endpoint.disabled_reason) == ("disabled", "gone")
    assert delivery.state == State.HELD
    publish("order.created", {}, project=project)
    assert set(WebhookDelivery.objects.values_list("state", flat=True)) == {State.HELD}
    assert attempt_due(within=FAR) == []


def test_after_the_last_attempt_it_is_exhausted(
    serve: Serve, register: Register, tell: Tell
) -> None:
    server = serve(BROKEN)
    register(server, disable_after_days=None)
    tell()
    for _ in range(20):
        attempt_due(within=FAR)
    delivery = only()
    assert (delivery.state, delivery.attempt_count) == (State.EXHAUSTED, 10)
    assert [row.number for row in delivery.attempts.all()] == list(range(1, 11))
    assert len(server.requests) == 10
    assert reload(delivery.endpoint).consecutive_failures == 10


def test_a_bug_of_ours_is_tried_again_and_ends_as_our_own_dead_letter(
    register: Register, tell: Tell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError("a bug")

    monkeypatch.setattr(requests, "signed_headers", broken)
    register("https://a.example")
    delivery = tell()
    assert (delivery.state, delivery.last_error_code) == (State.PENDING, "internal_error")
    for _ in range(12):
        attempt_due(within=FAR)
    delivery = only()
    assert (delivery.state, delivery.attempt_count) == (State.FAILED, 10)
    assert reload(delivery.endpoint).consecutive_failures == 0


def test_a_secret_that_cannot_be_read_is_told_and_nothing_is_sent(
    serve: Serve, register: Register, tell: Tell
) -> None:
    server = serve(OK)
    endpoint = register(server)
    other = register("https://b.example", event_types=["never"])
    WebhookEndpoint.objects.filter(pk=endpoint.pk).update(secret=other.secret.ciphertext)
    given_up(tell(), "secret_unreadable")
    assert server.requests == []
