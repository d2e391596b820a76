"""Signatures of senders that have a way of their own."""

import base64
from typing import Any

import pytest

from integrations.webhooks.inbound.schemes.generic_hmac import GenericHmac
from integrations.webhooks.inbound.schemes.scheme import Received
from intmod_site.api.errors import ValidationFailed
from tests.integrations.webhooks.inbound.schemes.verifying import refused, verify
from tests.integrations.webhooks.inbound.senders import PLAIN, SLACK, digest, slack

SCHEME = GenericHmac()
BODY = b'{"event_id": "Ev1", "event": {"type": "message"}}'


def test_by_default_the_body_is_signed_in_hex() -> None:
    headers = {"X-Signature": digest(PLAIN, BODY).hex()}
    assert verify(SCHEME, headers, BODY, "another one", PLAIN).content == BODY
    assert refused(SCHEME, headers, BODY + b" ", PLAIN) == "signature_invalid"


def test_slack_can_be_told() -> None:
    SCHEME.check(SLACK)
    assert verify(SCHEME, slack(BODY), BODY, PLAIN, settings=SLACK).sent_at is not None
    late = slack(BODY, at=5)
    assert refused(SCHEME, late, BODY, PLAIN, settings=SLACK) == "timestamp_out_of_tolerance"
    for odd in ("", "é", "v0=", "v0=zz", "v1=" + "0" * 64):
        headers = slack(BODY) | {"X-Slack-Signature": odd}
        assert refused(SCHEME, headers, BODY, PLAIN, settings=SLACK).startswith("signature_")
    named = SCHEME.named(
        Received({}, BODY), {"event_id": "Ev1", "event": {"type": "message"}}, SLACK
    )
    assert (named.event_id, named.event_type) == ("Ev1", "message")


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512"])
def test_id_and_moment_can_be_signed_in_base64(algorithm: str) -> None:
    settings = {
        "signed": "{id}.{timestamp}.{body}",
        "id_header": "X-Id",
        "timestamp_header": "X-At",
        "type_header": "X-Type",
        "algorithm": algorithm,
        "encoding": "base64",
    }
    SCHEME.check(settings)
    signature = base64.b64encode(digest(PLAIN, b"e1.1000." + BODY, algorithm)).decode()
    headers = {"X-Id": "e1", "X-At": "1000", "X-Signature": signature}
    verify(SCHEME, headers, BODY, PLAIN, settings=settings, now_s=1000)
    for name, value in (("X-Id", "e2"), ("X-Id", "é"), ("X-At", "1001"), ("X-Signature", "a")):
        changed = headers | {name: value}
        assert (
            refused(SCHEME, changed, BODY, PLAIN, settings=settings, now_s=1000)
            == "signature_invalid"
        )
    received = Received({"x-id": "e1", "x-type": "t"}, BODY)
    named = SCHEME.named(received, {}, settings)
    assert (named.event_id, named.event_type) == ("e1", "t")


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"x": "y"}, "'x' is unknown"),
        ({"signed": "{timestamp}"}, "settings.signed"),
        ({"signed": "{body}{body}"}, "settings.signed"),
        ({"signed": "{secret}{body}"}, "settings.signed"),
        ({"signed": "{timestamp}{body}"}, "settings.timestamp_header"),
        ({"signed": "{id}{body}"}, "settings.id_header"),
        ({"timestamp_header": "X-At"}, "proves nothing"),
        ({"id_header": "X-Id", "id_pointer": "/id"}, "settings.id_pointer"),
        ({"id_pointer": "id"}, "settings.id_pointer"),
        ({"algorithm": "md5"}, "settings.algorithm"),
        ({"signature_header": "X Y"}, "settings.signature_header"),
    ],
)
def test_settings_that_cannot_work_are_refused(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationFailed, match=named):
        SCHEME.check(settings)


def test_without_an_id_none_is_made_up() -> None:
    assert SCHEME.named(Received({}, BODY), {}, {}).event_id == ""
    assert SCHEME.named(Received({}, BODY), [], SLACK).event_id == ""
