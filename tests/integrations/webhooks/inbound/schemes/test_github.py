"""GitHub's signatures."""

import pytest

from integrations.webhooks.inbound.schemes.github import GitHub
from integrations.webhooks.inbound.schemes.scheme import Received
from intmod_site.api.errors import ValidationFailed
from tests.integrations.webhooks.inbound.schemes.verifying import refused, verify
from tests.integrations.webhooks.inbound.senders import PLAIN, github

SCHEME = GitHub()
# https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation
BODY = b"Hello, World!"
VECTOR = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def test_the_published_vector_is_taken() -> None:
    proven = verify(SCHEME, {"X-Hub-Signature-256": VECTOR}, BODY, "It's a Secret to Everybody")
    assert proven.sent_at is None


@pytest.mark.parametrize(
    "value", ["sha256=", "sha1=" + "0" * 40, VECTOR.upper(), VECTOR + "0", "é", VECTOR[:-1] + "8"]
)
def test_another_signature_is_refused(value: str) -> None:
    code = refused(SCHEME, {"X-Hub-Signature-256": value}, BODY, "It's a Secret to Everybody")
    assert code == "signature_invalid"


def test_the_older_header_is_not_enough() -> None:
    assert refused(SCHEME, {"X-Hub-Signature": "sha1=0"}, BODY, PLAIN) == "signature_missing"


def test_any_secret_that_counts_will_do() -> None:
    verify(SCHEME, github(BODY), BODY, "another one", PLAIN)


def test_the_headers_name_the_event() -> None:
    headers = {name.lower(): value for name, value in github(BODY).items()}
    named = SCHEME.named(Received(headers, BODY), {}, {})
    assert (named.event_id, named.event_type) == ("72d3162e", "push")
    assert SCHEME.named(Received({}, BODY), {}, {}).event_id == ""


def test_secrets_are_text_of_some_length() -> None:
    SCHEME.check_secret(SCHEME.new_secret())
    for secret in ("short", "x" * 513, "tab\tinside it", " in front"):
        with pytest.raises(ValidationFailed):
            SCHEME.check_secret(secret)
