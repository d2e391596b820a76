"""What the outside world does to a call, end to end: a request over the API, a raw socket at the
other side, and what is left of it in answer, log and breaker."""

import gzip
import ipaddress
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from integrations.connections import exchange
from integrations.http.client import HttpClient
from integrations.http.pool import Pools
from integrations.http.resolver import Resolver
from integrations.models import CallRecord
from tests.api_client import ApiClient
from tests.integrations.connections.conftest import SECRET, Register, Serve
from tests.integrations.http.scripted_server import Peer, Script
from tests.integrations.http.slow_servers import HEAD, hangs_after_head, trickles_body

PATH = "integration/external/crm/request"
GET = {"method": "GET", "endpoint": "/x"}
SHORT = {"timeout_s": 0.4, "max_retries": 0}
METADATA = "http://169.254.169.254/latest/meta-data"

Resolve = Callable[..., None]


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Resolve]:
    """Let names lead where the test says, one answer a look-up; the last one stays."""
    clients = []

    def use(*answers: tuple[str, ...]) -> None:
        left = list(answers)

        def ask(host: str, port: int) -> tuple[str, ...]:
            return left.pop(0) if len(left) > 1 else left[0]

        client = HttpClient(Pools(Resolver(ask)))
        clients.append(client)
        monkeypatch.setattr(exchange, "send", client.send)

    yield use
    for client in clients:
        client.close()


def refused(api: ApiClient, status: int, call: dict[str, Any] = GET) -> str:
    """Call, be refused with this status, and give the code; the log has the same one."""
    code = str(api.refused(status, "POST", PATH, call)["error_details"]["code"])
    row = CallRecord.objects.latest("id")
    assert (row.error_code, row.is_error, row.status) == (code, True, None)
    assert SECRET not in row.error
    return code


def answers(*raw: str) -> Script:
    """Make the script that gives each request of a connection the next answer; the last stays."""
    left = list(raw)
    lock = threading.Lock()

    def script(peer: Peer) -> None:
        while peer.request():
            with lock:
                answer = left.pop(0) if len(left) > 1 else left[0]
            peer.send(answer.encode())

    return script


def status(line: str, headers: str = "", body: str = "") -> str:
    extra = f"{headers}\r\n" if headers else ""
    return f"HTTP/1.1 {line}\r\nContent-Length: {len(body)}\r\n{extra}\r\n{body}"


OK, BUSY = status("200 OK", body="fine"), status("503 Service Unavailable")


def test_500_then_200(api: ApiClient, serve: Serve, register: Register) -> None:
    register(serve(answers(status("500 Internal Server Error"), OK)))
    answer = api.ok("POST", PATH, GET)
    assert (answer["status"], answer["body"], answer["attempts"]) == (200, "fine", 2)
    rows = list(CallRecord.objects.order_by("id").values_list("attempt", "status", "error_code"))
    assert rows == [(1, 500, "http_500"), (2, 200, "")]


@pytest.mark.parametrize("script", [hangs_after_head, trickles_body])
def test_a_hang_after_the_head_and_a_byte_a_second(
    script: Script, api: ApiClient, serve: Serve, register: Register
) -> None:
    register(serve(script), **SHORT)
    assert refused(api, 504) == "total_timeout"


def test_a_body_that_stops(api: ApiClient, serve: Serve, register: Register) -> None:
    register(serve(hangs_after_head), idle_timeout_s=0.2, first_byte_timeout_s=0.2, max_retries=0)
    assert refused(api, 504) == "first_byte_timeout"


def test_a_connect_that_hangs(api: ApiClient, register: Register, resolve: Resolve) -> None:
    """A look-up that hangs is a connect that hangs, as a host that drops packets is."""
    register("http://slow.example", connect_timeout_s=0.2, max_retries=0)
    over = threading.Event()

    def ask(host: str, port: int) -> tuple[str, ...]:
        over.wait(5)
        return ("127.0.0.1",)

    resolve(("127.0.0.1",))
    client = HttpClient(Pools(Resolver(ask)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exchange, "send", client.send)
        assert refused(api, 504) == "connect_timeout"
    over.set()
    client.close()


def test_nobody_listens(api: ApiClient, serve: Serve, register: Register) -> None:
    with serve(lambda peer: None) as server:
        pass
    register(server, max_retries=1)
    assert refused(api, 502) == "connect_failed"
    assert CallRecord.objects.count() == 2


def test_a_reset_in_the_middle_is_tried_again(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    turns = iter(range(10))

    def script(peer: Peer) -> None:
        peer.request()
        if next(turns) == 0:
            peer.send(HEAD + b"half")
            peer.reset()
        else:
            peer.answer(b"whole")

    register(serve(script))
    answer = api.ok("POST", PATH, GET)
    assert (answer["body"], answer["attempts"]) == ("whole", 2)
    assert CallRecord.objects.order_by("id")[0].error_code == "connection_reset"


@pytest.mark.parametrize("retry_after", ["0", "past", "garbage", "-5", "Mon, 99 Foo 2026", ""])
def test_429_with_a_wait_that_is_over_or_makes_no_sense(
    retry_after: str, api: ApiClient, serve: Serve, register: Register
) -> None:
    past = format_datetime(datetime.now(UTC) - timedelta(days=1), usegmt=True)
    header = f"Retry-After: {past if retry_after == 'past' else retry_after}"
    register(serve(answers(status("429 Too Many Requests", header), OK)))
    assert api.ok("POST", PATH, GET)["attempts"] == 2


def test_429_with_seconds_is_waited_for(api: ApiClient, serve: Serve, register: Register) -> None:
    register(serve(answers(status("429 Too Many Requests", "Retry-After: 0.3"), OK)))
    answer = api.ok("POST", PATH, GET)
    assert answer["attempts"] == 2
    assert answer["duration_ms"] >= 300


@pytest.mark.parametrize("wait", ["315360000", "date"])
def test_429_with_ten_years_is_the_answer(
    wait: str, api: ApiClient, serve: Serve, register: Register
) -> None:
    decade = format_datetime(datetime.now(UTC) + timedelta(days=3650), usegmt=True)
    value = decade if wait == "date" else wait
    server = serve(answers(status("429 Too Many Requests", f"Retry-After: {value}")))
    register(server)
    answer = api.ok("POST", PATH, GET)
    assert (answer["status"], answer["attempts"]) == (429, 1)
    assert answer["headers"]["retry-after"] == value
    assert server.accepted == 1


def test_a_redirect_is_an_answer_unless_it_is_to_be_followed(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    server = serve(answers(status("302 Found", f"Location: {METADATA}")))
    register(server)
    answer = api.ok("POST", PATH, GET)
    assert (answer["status"], answer["headers"]["location"]) == (302, METADATA)


@pytest.mark.parametrize(
    ("location", "code"),
    [
        (METADATA, "blocked_destination"),
        ("http://[::ffff:169.254.169.254]/", "blocked_destination"),
        ("http://0xa9fea9fe/", "invalid_url"),
        ("file:///etc/passwd", "invalid_url"),
        ("http://[::1", "invalid_url"),
        ("//u:p@elsewhere.example/", "invalid_url"),
    ],
)
def test_a_redirect_to_a_metadata_address_is_not_followed(
    location: str, code: str, api: ApiClient, serve: Serve, register: Register
) -> None:
    server = serve(answers(status("302 Found", f"Location: {location}")))
    register(server, max_redirects=3)
    assert refused(api, 502) == code
    assert len(server.requests) == 1, "what cannot work is not tried again"


def test_redirects_are_followed_and_the_credential_stays_at_home(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    elsewhere = serve(answers(OK))
    there = f"Location: {elsewhere.url('/there#part')}"
    home = serve(
        answers(status("301 Moved Permanently", "Location: /y?z=1"), status("307 T", there))
    )
    register(home, max_redirects=3, headers={"X-Team": "search"})
    assert api.ok("POST", PATH, GET)["body"] == "fine"
    assert [r.split(b" ")[1] for r in home.requests] == [b"/base/x", b"/y?z=1"]
    assert all(SECRET.encode() in request for request in home.requests)
    (request,) = elsewhere.requests
    assert request.startswith(b"GET /there HTTP/1.1")
    assert SECRET.encode() not in request
    assert b"search" not in request


def test_redirects_end(api: ApiClient, serve: Serve, register: Register) -> None:
    server = serve(answers(status("302 Found", "Location: /again")))
    register(server, max_redirects=2)
    assert api.ok("POST", PATH, GET)["status"] == 302
    assert len(server.requests) == 3


def test_a_post_is_not_redirected(api: ApiClient, serve: Serve, register: Register) -> None:
    server = serve(answers(status("307 Temporary Redirect", "Location: /again")))
    register(server, max_redirects=3)
    assert api.ok("POST", PATH, {"method": "POST", "endpoint": "/", "data": {}})["status"] == 307
    assert len(server.requests) == 1


def test_a_name_that_leads_inside_is_blocked(
    api: ApiClient, register: Register, resolve: Resolve
) -> None:
    register("http://inside.example")
    for address in ("10.0.0.1", "169.254.169.254", "fd00::1", "::ffff:10.0.0.1", "168.63.129.16"):
        resolve(("93.184.216.34", address))
        assert refused(api, 502) == "blocked_destination"
        assert address not in CallRecord.objects.latest("id").error


def test_a_name_rebound_between_check_and_connect_gains_nothing(
    api: ApiClient, serve: Serve, register: Register, resolve: Resolve
) -> None:
    server = serve(answers(OK))
    register(f"http://rebound.example:{server.port}", max_retries=0)
    resolve(("127.0.0.1",), ("169.254.169.254",))
    assert api.ok("POST", PATH, GET)["body"] == "fine", "one look-up serves check and connection"
    resolve(("169.254.169.254",))
    assert refused(api, 502) == "blocked_destination"


def test_an_integration_keeps_to_its_networks(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    server = serve(answers(OK))
    register(server, allowed_networks=["127.0.0.1/32", "2001:db8::/32"])
    assert api.ok("POST", PATH, GET)["body"] == "fine"
    api.ok("PATCH", "integration/external/crm", {"allowed_networks": ["198.51.100.0/24"]})
    assert refused(api, 502) == "blocked_destination"


def test_its_networks_open_nothing_that_is_closed(
    api: ApiClient, register: Register, resolve: Resolve
) -> None:
    register("http://inside.example", allowed_networks=["10.0.0.0/8"])
    resolve(("10.0.0.1",))
    assert refused(api, 502) == "blocked_destination"


def test_a_gzip_bomb_ends_at_the_limit(api: ApiClient, serve: Serve, register: Register) -> None:
    bomb = gzip.compress(b"0" * 20_000_000)
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
    server = serve(lambda peer: (peer.request(), peer.send(head.encode() + bomb)))
    register(server, response_limit_bytes=100_000)
    assert refused(api, 502) == "body_too_large"
    assert server.accepted == 1


def test_an_answer_at_the_limit_is_taken(api: ApiClient, serve: Serve, register: Register) -> None:
    register(serve(answers(OK)), response_limit_bytes=4)
    assert api.ok("POST", PATH, GET)["body"] == "fine"
    api.ok("PATCH", "integration/external/crm", {"response_limit_bytes": 3})
    assert refused(api, 502) == "body_too_large"


def test_a_wrong_name_in_the_certificate(
    api: ApiClient, serve: Serve, register: Register, tmp_path: Path
) -> None:
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(_certificate(tmp_path))
    server = serve(answers(OK), tls=tls)
    register(server.url("/base", scheme="https"))
    assert refused(api, 502) == "tls_failed"
    assert CallRecord.objects.count() == 1, "a wrong certificate stays wrong"


def test_no_http_at_all(api: ApiClient, serve: Serve, register: Register) -> None:
    register(
        serve(lambda peer: (peer.request(), peer.send(b"220 smtp ready\r\n\r\n"))), max_retries=0
    )
    assert refused(api, 502) == "malformed_response"


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "elsewhere.example")])
    now = datetime.now(UTC)
    names = [x509.IPAddress(ipaddress.ip_address("192.0.2.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "both.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path
