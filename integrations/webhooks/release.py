"""Letting go what was held for an endpoint, batch by batch."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from integrations.models import WebhookDelivery, WebhookEndpoint

State = WebhookDelivery.State
BATCH = 500


def release(endpoint_id: UUID) -> int:
    """Make due what is held for an endpoint, oldest first; gives how many, none if disabled.

    Each batch is a transaction of its own: one that breaks off is begun again where it ended.
    """
    released = 0
    while count := _release_batch(endpoint_id):
        released += count
    return released


def _release_batch(endpoint_id: UUID) -> int:
    with transaction.atomic():
        # Locked, so that nobody disables it while its deliveries are made due.
        endpoint = (
            WebhookEndpoint.objects.select_for_update(no_key=True).filter(pk=endpoint_id).first()
        )
        if endpoint is None or endpoint.state != WebhookEndpoint.State.ACTIVE:
            return 0
        held = WebhookDelivery.objects.select_for_update(no_key=True).filter(
            endpoint=endpoint, state=State.HELD
        )
        rows = list(held.order_by("sequence", "pk")[:BATCH])
        now = timezone.now()
        for row in rows:
            row.state, row.next_attempt_at, row.ended_at = State.PENDING, now, None
            row.run += 1
            row.step = 0
        WebhookDelivery.objects.bulk_update(
            rows, ["state", "next_attempt_at", "ended_at", "run", "step"]
        )
    return len(rows)


def release_held() -> int:
    """Release what is held for endpoints that are enabled, and give how many."""
    held = WebhookDelivery.objects.filter(
        state=State.HELD, endpoint__state=WebhookEndpoint.State.ACTIVE
    )
    endpoints = held.order_by().values_list("endpoint_id", flat=True).distinct()
    return sum(release(endpoint_id) for endpoint_id in list(endpoints))
