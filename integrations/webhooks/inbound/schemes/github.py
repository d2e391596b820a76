"""GitHub: HMAC-SHA256 of the body, in hex. It signs neither a moment nor the delivery's id.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

import re
import secrets
from collections.abc import Mapping
from typing import Any

from integrations.connections.auth.scheme import check_settings
from integrations.webhooks.inbound.schemes.scheme import (
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
)

SIGNATURE = "X-Hub-Signature-256"
DELIVERY, EVENT = "x-github-delivery", "x-github-event"
_SIGNATURE = re.compile(r"sha256=([0-9a-f]{64})")


class GitHub:
    """`X-Hub-Signature-256`; `X-GitHub-Delivery` is the same when GitHub delivers once more."""

    name = "github"

    def check(self, settings: Mapping[str, Any]) -> None:
        """Take none."""
        check_settings(settings, {}, field="settings")

    def check_secret(self, secret: str) -> None:
        """Take any text that can be typed into GitHub's form."""
        check_plain_secret(secret)

    def new_secret(self) -> str:
        """Make one to type into GitHub's form."""
        return secrets.token_urlsafe(32)

    def verify(self, received: Received, terms: Terms) -> Proven:
        """Take the request if it is signed with one of the secrets."""
        given = _SIGNATURE.fullmatch(header(received, SIGNATURE))
        if given is None:
            raise SignatureRefused(f"{SIGNATURE} is sha256= and 64 hexadecimal digits.")
        keys = [secret.encode() for secret in terms.secrets]
        any_matches([bytes.fromhex(given[1])], keys, received.body)
        return Proven(received.body)

    def named(self, received: Received, payload: Any, settings: Mapping[str, Any]) -> Named:
        """Give what the headers say."""
        return Named(
            as_event_id(received.headers.get(DELIVERY)), as_event_type(received.headers.get(EVENT))
        )
