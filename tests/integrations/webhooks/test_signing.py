"""Signatures, held against the specification's vector and the published verifier."""

import base64
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

from integrations.webhooks.signing import key_of, new_secret, signed_headers


def test_the_specifications_vector() -> None:
    headers = signed_headers(
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp_s=1614265330,
        body=b'{"test": 2432232314}',
        keys=[key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")],
    )
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


@given(text=st.text(max_size=200), size=st.integers(24, 64))
def test_the_published_verifier_takes_every_body_and_key(text: str, size: int) -> None:
    secret = "whsec_" + base64.b64encode(b"k" * size).decode()
    body = json.dumps({"text": text}).encode()
    headers = signed_headers(
        message_id="msg_1", timestamp_s=int(time.time()), body=body, keys=[key_of(secret)]
    )
    assert Webhook(secret).verify(body, headers) == {"text": text}
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body + b" ", headers)


def test_each_of_two_keys_signs() -> None:
    secrets = [new_secret(), new_secret()]
    headers = signed_headers(
        message_id="msg_1", timestamp_s=int(time.time()), body=b"{}", keys=map(key_of, secrets)
    )
    for secret in secrets:
        assert Webhook(secret).verify(b"{}", headers) == {}
    with pytest.raises(WebhookVerificationError):
        Webhook(new_secret()).verify(b"{}", headers)


@pytest.mark.parametrize(
    "secret",
    [
        "", "whsec_", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!!!", "whsec_äää",
        "whsec_" + base64.b64encode(b"k" * 23).decode(),
        "whsec_" + base64.b64encode(b"k" * 65).decode(),
    ],
)  # fmt: skip
def test_what_is_no_secret(secret: str) -> None:
    with pytest.raises(ValueError, match="secret"):
        key_of(secret)
