"""Stripe: HMAC-SHA256 over moment and raw body, several signatures while a secret is rolled.

https://docs.stripe.com/webhooks/signature
"""

import re
from collections.abc import Mapping
from typing import Any

from integrations.connections.auth.scheme import check_settings
from integrations.webhooks.inbound.schemes.scheme import (
    MOST_SIGNATURES,
    Named,
    Proven,
    Received,
    SignatureRefused,
    Terms,
    any_matches,
    as_event_id,
    as_event_type,
    check_plain_secret,
    header,
    member,
    moment,
)

SIGNATURE = "Stripe-Signature"
_HEX = re.compile(r"[0-9a-f]{64}")


class Stripe:
    """`Stripe-Signature: t=…,v1=…`; the event's id stands in the body, which is signed."""

    name = "stripe"

    def check(self, settings: Mapping[str, Any]) -> None:
        """Take none."""
        check_settings(settings, {}, field="settings")

    def check_secret(self, secret: str) -> None:
        """Take the signing secret as Stripe shows it, `whsec_` included."""
        check_plain_secret(secret)

    def new_secret(self) -> None:
        """Make none: Stripe does."""

    def verify(self, received: Received, terms: Terms) -> Proven:
        """Take the request if one signature is of one of the secrets, and was made just now."""
        parts = [part.partition("=") for part in header(received, SIGNATURE).split(",")]
        times = [value for name, _, value in parts if name.strip() == "t"]
        given = [
            value for name, _, value in parts if name.strip() == "v1" and _HEX.fullmatch(value)
        ]
        if len(times) != 1 or not times[0].isascii() or not given:
            raise SignatureRefused(f"{SIGNATURE} is t=<seconds>,v1=<signature>.")
        content = b"%s.%s" % (times[0].encode(), received.body)
        keys = [secret.encode() for secret in terms.secrets]
        any_matches([bytes.fromhex(one) for one in given[:MOST_SIGNATURES]], keys, content)
        return Proven(content, moment(times[0], terms))

    def named(self, received: Received, payload: Any, settings: Mapping[str, Any]) -> Named:
        """Give what the body says."""
        return Named(as_event_id(member(payload, "id")), as_event_type(member(payload, "type")))
