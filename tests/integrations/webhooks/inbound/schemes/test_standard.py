"""Standard Webhooks, held against the published vector and the published library."""

import base64
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from standardwebhooks import Webhook

from integrations.webhooks.inbound.schemes.scheme import Received
from integrations.webhooks.inbound.schemes.standard import StandardWebhooks
from intmod_site.api.errors import ValidationFailed
from tests.integrations.webhooks.inbound.schemes.verifying import refused, verify
from tests.integrations.webhooks.inbound.senders import SHARED, standard

SCHEME = StandardWebhooks()
BODY = b'{"test": 2432232314}'
NOW = 1614265330
VECTOR = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": str(NOW),
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}


def test_the_published_vector_is_taken() -> None:
    proven = verify(SCHEME, VECTOR, BODY, SHARED, now_s=NOW)
    assert proven.sent_at == datetime.fromtimestamp(NOW, UTC)


def test_what_the_published_library_signs_is_taken() -> None:
    secret, now = SCHEME.new_secret(), datetime.now(UTC)
    SCHEME.check_secret(secret)
    headers = standard(BODY, secret=secret) | {
        "webhook-signature": Webhook(secret).sign("msg_1", now, BODY.decode()),
        "webhook-timestamp": str(int(now.timestamp())),
    }
    verify(SCHEME, headers, BODY, secret)


def test_any_secret_that_counts_and_any_signature_will_do() -> None:
    other = SCHEME.new_secret()
    headers = standard(BODY)
    headers["webhook-signature"] = "v1,AAAA v2,zzzz v1a " + headers["webhook-signature"]
    verify(SCHEME, headers, BODY, other, SHARED)
    assert refused(SCHEME, headers, BODY, other) == "signature_invalid"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("webhook-id", "msg_2"),
        ("webhook-id", "msg.1"),
        ("webhook-id", "msg_é"),
        ("webhook-id", "x" * 256),
        ("webhook-timestamp", "1.5"),
        ("webhook-timestamp", "-5"),
        ("webhook-timestamp", "²"),
        ("webhook-timestamp", "9" * 400),
        ("webhook-signature", "v1,é"),
        ("webhook-signature", "v1"),
        ("webhook-signature", "," * 9000),
        ("webhook-signature", "v1a,AAAA"),
    ],
)
def test_odd_headers_are_refused(name: str, value: str) -> None:
    assert refused(SCHEME, standard(BODY) | {name: value}, BODY, SHARED) == "signature_invalid"


@pytest.mark.parametrize("name", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_each_header_is_needed(name: str) -> None:
    headers = standard(BODY)
    del headers[name]
    assert refused(SCHEME, headers, BODY, SHARED) == "signature_missing"


def test_another_body_is_refused() -> None:
    assert refused(SCHEME, standard(BODY), BODY + b" ", SHARED) == "signature_invalid"


@pytest.mark.parametrize(
    ("away_s", "taken"), [(300, True), (-300, True), (301, False), (-301, False)]
)
def test_the_clock_may_be_five_minutes_off(away_s: int, taken: bool) -> None:
    headers = standard(BODY, at=NOW + away_s)
    if taken:
        verify(SCHEME, headers, BODY, SHARED, now_s=NOW)
    else:
        code = refused(SCHEME, headers, BODY, SHARED, now_s=NOW)
        assert code == "timestamp_out_of_tolerance"


def test_only_so_many_signatures_are_looked_at() -> None:
    headers = standard(BODY)
    headers["webhook-signature"] = "v1,AAAA " * 20 + headers["webhook-signature"]
    assert refused(SCHEME, headers, BODY, SHARED) == "signature_invalid"


def test_a_public_key_verifies_ed25519() -> None:
    private = Ed25519PrivateKey.generate()
    raw = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    public = "whpk_" + base64.b64encode(raw).decode()
    SCHEME.check_secret(public)
    headers = standard(BODY)
    content = f"msg_1.{headers['webhook-timestamp']}.".encode() + BODY
    signature = "v1a," + base64.b64encode(private.sign(content)).decode()
    verify(SCHEME, headers | {"webhook-signature": signature}, BODY, public)
    verify(SCHEME, headers | {"webhook-signature": signature}, BODY, SHARED, public)
    assert refused(SCHEME, headers, BODY, public) == "signature_invalid"
    forged = "v1a," + base64.b64encode(private.sign(BODY)).decode()
    headers["webhook-signature"] = forged
    assert refused(SCHEME, headers, BODY, public) == "signature_invalid"


def test_a_public_key_is_no_shared_secret() -> None:
    """Whoever knows the public key must not be able to sign with it."""
    key = base64.b64encode(b"k" * 32).decode()
    headers = standard(BODY, secret=f"whsec_{key}")
    assert refused(SCHEME, headers, BODY, f"whpk_{key}") == "signature_invalid"


@pytest.mark.parametrize(
    "secret", ["whsec_", "whsec_é", "whsec_AAAA", "whpk_AAAA", "nope!", "A" * 512]
)
def test_odd_secrets_are_refused(secret: str) -> None:
    with pytest.raises(ValidationFailed):
        SCHEME.check_secret(secret)


def test_shorter_secrets_and_such_without_prefix_are_taken() -> None:
    SCHEME.check_secret("whsec_" + base64.b64encode(b"12345678").decode())
    SCHEME.check_secret(SHARED.removeprefix("whsec_"))


@pytest.mark.parametrize(
    ("payload", "event_type"),
    [
        ({"type": "order.paid"}, "order.paid"),
        ({"event_type": "order.paid"}, "order.paid"),
        ({"type": 5}, ""),
        ({"type": "a b"}, ""),
        ({"type": "x" * 201}, ""),
        ([], ""),
        (None, ""),
    ],
)
def test_the_type_is_what_the_body_says(payload: object, event_type: str) -> None:
    named = SCHEME.named(Received({"webhook-id": "msg_1"}, b""), payload, {})
    assert (named.event_id, named.event_type) == ("msg_1", event_type)


def test_it_takes_no_settings() -> None:
    SCHEME.check({})
    with pytest.raises(ValidationFailed, match="'x' is unknown"):
        SCHEME.check({"x": "y"})
