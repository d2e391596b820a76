import base64
import hashlib
import hmac

import pytest

from integrations.connections.auth import SCHEMES
from integrations.connections.auth.hmac_signing import signed_text
from integrations.connections.auth.scheme import Outgoing
from tests.integrations.connections.auth.proofs import prove, refused

EMPTY_OBJECT = hashlib.sha256(b"{}").hexdigest()
SIGNED = f"1700000000\nPOST\n/v1/things?a=1\n{EMPTY_OBJECT}".encode()


def test_time_method_target_and_body_are_signed() -> None:
    headers = prove("hmac").headers
    assert headers["X-Timestamp"] == "1700000000"
    expected = hmac.new(b"s3cret-value", SIGNED, hashlib.sha256).hexdigest()
    assert headers["X-Signature"] == expected


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://a.example", b"/"),
        ("https://a.example?a=1", b"/?a=1"),
        ("https://a.example/x?", b"/x?"),
        ("https://a.example//x", b"//x"),
    ],
)
def test_the_target_is_signed_as_it_goes_on_the_wire(url: str, target: bytes) -> None:
    signed = signed_text("1700000000", Outgoing("GET", url, {}))
    assert signed.split(b"\n")[2] == target


def test_names_hash_encoding_and_prefix_are_the_systems() -> None:
    settings = {
        "signature_header": "Sig", "timestamp_header": "Ts", "algorithm": "sha512",
        "encoding": "base64", "prefix": "v1=",
    }  # fmt: skip
    headers = prove("hmac", settings).headers
    digest = hmac.new(b"s3cret-value", SIGNED, hashlib.sha512).digest()
    assert headers["Sig"] == "v1=" + base64.b64encode(digest).decode()
    assert headers["Ts"] == "1700000000"


def test_the_secret_itself_goes_nowhere() -> None:
    request = prove("hmac", body=None)
    assert "s3cret-value" not in str(request.headers) + request.url
    assert SCHEMES["hmac"].secret_goes_to("https://a.example", {}) == ()


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        ({"algorithm": "md5"}, "/auth_settings/algorithm"),
        ({"encoding": "rot13"}, "/auth_settings/encoding"),
        ({"signature_header": "x-timestamp"}, "/auth_settings"),
        ({"signature_header": "Host"}, "/auth_settings"),
        ({"nonce": "x"}, "/auth_settings"),
    ],
)
def test_odd_settings_are_refused(settings: dict[str, str], path: str) -> None:
    assert refused("hmac", settings) == path
