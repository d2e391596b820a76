"""A delivery's attempts, for those who look at it."""

from typing import Any

from integrations.models import WebhookDelivery

SHOWN = 50


def with_latest_attempts(delivery: WebhookDelivery) -> Any:
    """Give the delivery with its latest attempts, oldest first, as `latest_attempts`."""
    row: Any = delivery
    row.latest_attempts = list(delivery.attempts.order_by("-number")[:SHOWN])[::-1]
    return row
