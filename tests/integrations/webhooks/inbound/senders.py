"""Senders as the outside world has them: they sign what they send."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

PLAIN = "it's a secret to everybody"
SHARED = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def body_of(payload: Any) -> bytes:
    return json.dumps(payload).encode()


def digest(secret: str | bytes, content: bytes, algorithm: str = "sha256") -> bytes:
    key = secret.encode() if isinstance(secret, str) else secret
    return hmac.new(key, content, algorithm).digest()


def standard(
    body: bytes,
    *,
    secret: str = SHARED,
    event_id: str = "msg_1",
    at: float | None = None,
) -> dict[str, str]:
    """Sign as Standard Webhooks do."""
    timestamp = str(int(time.time() if at is None else at))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signature = digest(key, f"{event_id}.{timestamp}.".encode() + body)
    return {
        "webhook-id": event_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": "v1," + base64.b64encode(signature).decode(),
    }


def github(body: bytes, *, secret: str = PLAIN, delivery: str = "72d3162e") -> dict[str, str]:
    """Sign as GitHub does."""
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {
        "X-Hub-Signature-256": f"sha256={signature}",
        "X-GitHub-Delivery": delivery,
        "X-GitHub-Event": "push",
    }


def stripe(body: bytes, *, secret: str = PLAIN, at: float | None = None) -> dict[str, str]:
    """Sign as Stripe does."""
    timestamp = str(int(time.time() if at is None else at))
    signature = digest(secret, timestamp.encode() + b"." + body).hex()
    return {"Stripe-Signature": f"t={timestamp},v1={signature},v0={'0' * 64}"}


SLACK = {
    "signature_header": "X-Slack-Signature",
    "timestamp_header": "X-Slack-Request-Timestamp",
    "signed": "v0:{timestamp}:{body}",
    "prefix": "v0=",
    "id_pointer": "/event_id",
    "type_pointer": "/event/type",
}


def slack(body: bytes, *, secret: str = PLAIN, at: float | None = None) -> dict[str, str]:
    """Sign as Slack does, which the generic scheme is told by `SLACK`."""
    timestamp = str(int(time.time() if at is None else at))
    signature = digest(secret, f"v0:{timestamp}:".encode() + body).hex()
    return {"X-Slack-Signature": f"v0={signature}", "X-Slack-Request-Timestamp": timestamp}
