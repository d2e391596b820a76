"""Doing by hand what jobs do: one attempt for each delivery that is due."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from integrations.models import WebhookDelivery, WebhookEndpoint
from integrations.webhooks.attempt import attempt
from integrations.webhooks.outcome import Outcome

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine"
NO_CONTENT = b"HTTP/1.1 204 No Content\r\n\r\n"
BROKEN = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
FAR = timedelta(days=30)


def attempt_due(within: timedelta = timedelta()) -> list[Outcome | None]:
    """Attempt what is due, or will be within a time, once each, oldest first."""
    rows = WebhookDelivery.objects.filter(
        state=WebhookDelivery.State.PENDING, next_attempt_at__lte=timezone.now() + within
    ).order_by("sequence", "pk")
    return [attempt(row.pk, row.run) for row in rows]


def only() -> WebhookDelivery:
    """Give the only delivery there is."""
    return WebhookDelivery.objects.select_related("endpoint", "message").get()


def wait_s(delivery: WebhookDelivery, since: datetime) -> float:
    """Give the seconds until its next attempt, counted from a moment."""
    assert delivery.next_attempt_at is not None
    return (delivery.next_attempt_at - since).total_seconds()


def reload(endpoint: WebhookEndpoint) -> Any:
    """Give the endpoint as it is now."""
    return WebhookEndpoint.objects.select_related("project").get(pk=endpoint.pk)
