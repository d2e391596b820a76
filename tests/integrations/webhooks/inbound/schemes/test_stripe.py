"""Stripe's signatures."""

import pytest

from integrations.webhooks.inbound.schemes.scheme import Received
from integrations.webhooks.inbound.schemes.stripe import Stripe
from tests.integrations.webhooks.inbound.schemes.verifying import refused, verify
from tests.integrations.webhooks.inbound.senders import PLAIN, stripe

SCHEME = Stripe()
BODY = b'{"id": "evt_1", "type": "invoice.paid"}'
NOW = 1_700_000_000


def test_a_signed_event_is_taken() -> None:
    proven = verify(SCHEME, stripe(BODY), BODY, "another one", PLAIN)
    assert proven.sent_at is not None


def test_one_of_several_signatures_is_enough() -> None:
    header = stripe(BODY)["Stripe-Signature"]
    while_rolling = header.replace("v1=", f"v1={'0' * 64},v1=", 1)
    verify(SCHEME, {"stripe-signature": while_rolling}, BODY, PLAIN)


def test_a_signature_without_moment_or_of_two_is_refused() -> None:
    header = stripe(BODY)["Stripe-Signature"]
    for odd in (header.partition(",")[2], f"t=5,{header}", "t=²,v1=" + "0" * 64, "t", "=", "é"):
        assert refused(SCHEME, {"Stripe-Signature": odd}, BODY, PLAIN) == "signature_invalid"
    assert refused(SCHEME, {}, BODY, PLAIN) == "signature_missing"


def test_the_test_scheme_does_not_count() -> None:
    header = stripe(BODY)["Stripe-Signature"].replace("v1=", "v0=", 1)
    assert refused(SCHEME, {"Stripe-Signature": header}, BODY, PLAIN) == "signature_invalid"


def test_the_moment_is_signed_and_near() -> None:
    header = stripe(BODY, at=NOW)["Stripe-Signature"]
    verify(SCHEME, {"Stripe-Signature": header}, BODY, PLAIN, now_s=NOW + 300)
    code = refused(SCHEME, {"Stripe-Signature": header}, BODY, PLAIN, now_s=NOW + 301)
    assert code == "timestamp_out_of_tolerance"
    moved = header.replace(str(NOW), str(NOW + 200))
    code = refused(SCHEME, {"Stripe-Signature": moved}, BODY, PLAIN, now_s=NOW + 301)
    assert code == "signature_invalid"


@pytest.mark.parametrize(
    ("payload", "event_id"),
    [({"id": "evt_1"}, "evt_1"), ({"id": 5}, ""), ({"id": "a b"}, ""), ([], "")],
)
def test_the_body_names_the_event(payload: object, event_id: str) -> None:
    assert SCHEME.named(Received({}, BODY), payload, {}).event_id == event_id


def test_stripe_makes_the_secret() -> None:
    assert SCHEME.new_secret() is None
