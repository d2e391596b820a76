"""Attempting what is due, one after another."""

from collections.abc import Callable

from django.db.models import QuerySet
from django.utils import timezone

from integrations.models import WebhookDelivery, WebhookEndpoint
from integrations.webhooks.attempt import attempt
from integrations.webhooks.release import release

BATCH = 100


def deliver_due(*, until: Callable[[], bool] = lambda: False) -> int:
    """Attempt once each delivery that is due, oldest first, and give how many were sent.

    Args:
        until: Asked between two; true ends it.
    """
    sent = 0
    rows = due().values_list("pk", "run")[:BATCH]
    for delivery_id, run in list(rows):
        if until():
            break
        sent += attempt(delivery_id, run) is not None
    return sent


def due() -> "QuerySet[WebhookDelivery]":
    """Give the deliveries whose moment has come."""
    return WebhookDelivery.objects.filter(
        state=WebhookDelivery.State.PENDING, next_attempt_at__lte=timezone.now()
    ).order_by("next_attempt_at", "pk")


def release_held() -> int:
    """Release what is held for endpoints that are enabled again."""
    held = WebhookDelivery.objects.filter(
        state=WebhookDelivery.State.HELD, endpoint__state=WebhookEndpoint.State.ACTIVE
    )
    endpoints = held.order_by().values_list("endpoint_id", flat=True).distinct()
    return sum(release(endpoint_id) for endpoint_id in list(endpoints))
