"""One request to an endpoint: signed as it is now, sent through the guard."""

import logging
from datetime import datetime

from django.utils import timezone

from authz.secrets.keyring import SecretUnreadable
from integrations.connections.connection import egress_within
from integrations.http.client import open_stream
from integrations.http.errors import BodyTooLarge, OutboundError
from integrations.http.messages import OutboundRequest
from integrations.http.policy import Deadlines
from integrations.models import WebhookEndpoint, WebhookMessage
from integrations.webhooks.outcome import Outcome, of_answer, of_error, of_our_own
from integrations.webhooks.rotation import signing_keys
from integrations.webhooks.signing import signed_headers

log = logging.getLogger("intmod.webhooks")

LONGEST_CONNECT_S = 5.0
READ_BYTES = 16 * 1024
"""What is read of an answer; one that goes on counts by its status all the same."""


def request_once(endpoint: WebhookEndpoint, message: WebhookMessage, now: datetime) -> Outcome:
    """Send a message to an endpoint, and judge what comes back; never raises."""
    try:
        return _send(endpoint, _request(endpoint, message, now))
    except OutboundError as error:
        return of_error(error)
    except SecretUnreadable as error:
        return of_our_own("secret_unreadable", str(error))
    except Exception:
        log.exception("webhook attempt broke", extra={"fields": {"endpoint": str(endpoint.pk)}})
        return of_our_own("internal_error", "The attempt broke on our side.", again=True)


def _request(endpoint: WebhookEndpoint, message: WebhookMessage, now: datetime) -> OutboundRequest:
    body = message.body.encode()
    signed = signed_headers(
        message_id=message.message_id,
        timestamp_s=int(now.timestamp()),
        body=body,
        keys=signing_keys(endpoint, now),
    )
    ours = {"Content-Type": "application/json", "User-Agent": "intmod-webhooks/1", **signed}
    return OutboundRequest("POST", endpoint.url, {**endpoint.headers, **ours}, body)


def _send(endpoint: WebhookEndpoint, request: OutboundRequest) -> Outcome:
    limit_s = endpoint.timeout_s
    deadlines = Deadlines(
        connect_s=min(LONGEST_CONNECT_S, limit_s),
        first_byte_s=limit_s,
        idle_s=limit_s,
        total_s=limit_s,
    )
    with open_stream(request, deadlines=deadlines, egress=egress_within()) as answer:
        try:
            body: bytes | None = answer.read(READ_BYTES)
        except BodyTooLarge:
            body = None
        return of_answer(answer.status, answer.headers, body, timezone.now())
