"""Certificates: whom a call trusts, and for which name."""

import ipaddress
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from integrations.http.client import HttpClient
from integrations.http.errors import ConnectFailed, TlsFailed
from integrations.http.policy import EgressPolicy
from tests.integrations.http.calls import fetch, stream
from tests.integrations.http.conftest import Serve
from tests.integrations.http.scripted_server import Peer

NAME = "api.example"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a self-signed certificate for api.example, its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.now(UTC)
    names = [x509.DNSName(NAME), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@pytest.fixture(scope="module")
def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture(scope="module")
def trusting(certificate: Path, loopback: EgressPolicy) -> EgressPolicy:
    context = ssl.create_default_context(cafile=str(certificate))
    return EgressPolicy(allowed_networks=loopback.allowed_networks, tls=context)


def ok(peer: Peer) -> None:
    while peer.request():
        peer.answer(b"o\nk")


def test_the_name_of_the_url_is_what_counts(
    client: HttpClient, serve: Serve, server_tls: ssl.SSLContext, trusting: EgressPolicy
) -> None:
    seen: list[str | None] = []
    server_tls.sni_callback = lambda _sock, name, _context: seen.append(name)
    server = serve(ok, tls=server_tls)
    url = server.url(host=NAME, scheme="https")
    for _ in range(3):
        assert fetch(client, url, trusting).body == b"o\nk"
    with stream(client, url, trusting) as lines:
        assert list(lines) == [b"o", b"k"]
    server_tls.sni_callback = None
    assert seen == [NAME]
    assert server.accepted == 1
    assert f"Host: {NAME}:{server.port}\r\n".encode() in server.requests[0]


def test_a_large_body_both_ways(
    client: HttpClient, serve: Serve, server_tls: ssl.SSLContext, trusting: EgressPolicy
) -> None:
    def script(peer: Peer) -> None:
        peer.answer(peer.request().partition(b"\r\n\r\n")[2])

    url = serve(script, tls=server_tls).url(host=NAME, scheme="https")
    body = bytes(range(256)) * 8000
    answer = fetch(client, url, trusting, method="POST", body=body, limit=len(body))
    assert answer.body == body


def test_an_address_in_the_certificate(
    client: HttpClient, serve: Serve, server_tls: ssl.SSLContext, trusting: EgressPolicy
) -> None:
    server = serve(ok, tls=server_tls)
    assert fetch(client, server.url(scheme="https"), trusting).status == 200


def test_a_certificate_for_another_name(
    client: HttpClient, serve: Serve, server_tls: ssl.SSLContext, trusting: EgressPolicy
) -> None:
    server = serve(ok, tls=server_tls)
    with pytest.raises(TlsFailed, match=r"other\.example") as caught:
        fetch(client, server.url("/?key=secret", host="other.example", scheme="https"), trusting)
    assert caught.value.code == "tls_failed"
    assert not caught.value.retryable
    assert not caught.value.sent
    assert server.requests == []
    assert "secret" not in str(caught.value)


def test_a_certificate_that_nobody_vouches_for(
    client: HttpClient, serve: Serve, server_tls: ssl.SSLContext, loopback: EgressPolicy
) -> None:
    server = serve(ok, tls=server_tls)
    with pytest.raises(TlsFailed):
        fetch(client, server.url(host=NAME, scheme="https"), loopback)


def test_trust_is_not_shared_between_policies(
    client: HttpClient,
    serve: Serve,
    server_tls: ssl.SSLContext,
    trusting: EgressPolicy,
    loopback: EgressPolicy,
) -> None:
    url = serve(ok, tls=server_tls).url(host=NAME, scheme="https")
    fetch(client, url, trusting)
    with pytest.raises(TlsFailed):
        fetch(client, url, loopback)


def test_a_server_without_tls(client: HttpClient, serve: Serve, loopback: EgressPolicy) -> None:
    def script(peer: Peer) -> None:
        peer.sock.recv(10)
        peer.answer(status="400 Bad Request")

    with pytest.raises(TlsFailed):
        fetch(client, serve(script).url(scheme="https"), loopback)


@pytest.mark.parametrize("how", ["reset", "close"])
def test_a_handshake_cut_off_may_be_tried_again(
    client: HttpClient, serve: Serve, loopback: EgressPolicy, how: str
) -> None:
    def script(peer: Peer) -> None:
        peer.sock.recv(65536)
        if how == "reset":
            peer.reset()

    with pytest.raises(ConnectFailed) as caught:
        fetch(client, serve(script).url(scheme="https"), loopback)
    assert caught.value.retryable
    assert not caught.value.sent


def test_a_context_that_checks_nothing_is_refused() -> None:
    context = ssl.create_default_context()
    context.check_hostname = False
    with pytest.raises(ValueError, match="must check"):
        EgressPolicy(tls=context)
