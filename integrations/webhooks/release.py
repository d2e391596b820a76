"""Letting go what was held for an endpoint, batch by batch."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from integrations.models import WebhookDelivery, WebhookEndpoint
from integrations.webhooks.jobs import ring
from integrations.webhooks.order import ring_first

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
        if endpoint.is_ordered:
            if rows:
                ring_first(endpoint)
        else:
            for row in rows:
                ring(row)
    return len(rows)
