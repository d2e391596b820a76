"""From a message to its deliveries."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from integrations.models import WebhookDelivery, WebhookEndpoint, WebhookMessage
from integrations.webhooks import names

State = WebhookDelivery.State
BATCH = 500


def endpoints_wanting(
    project_id: UUID, event_type: str, *, besides: WebhookEndpoint | None = None
) -> list[WebhookEndpoint]:
    """Give the project's endpoints that ask for events of this type, the disabled ones too."""
    rows = WebhookEndpoint.objects.in_project(project_id).only(
        "id", "event_types", "state", "is_ordered"
    )
    return [
        row
        for row in rows.order_by("id")
        if names.matches(row.event_types, event_type) and row != besides
    ]


def deliver_to(endpoints: Iterable[WebhookEndpoint], message: WebhookMessage) -> int:
    """Write a delivery for each endpoint, due at once or held where it is disabled."""
    now = timezone.now()
    rows = []
    for endpoint in endpoints:
        active = endpoint.state == WebhookEndpoint.State.ACTIVE
        rows.append(
            WebhookDelivery(
                project_id=message.project_id,
                message=message,
                endpoint=endpoint,
                state=State.PENDING if active else State.HELD,
                sequence=next_sequence(endpoint) if endpoint.is_ordered else 0,
                next_attempt_at=now if active else None,
                created_at=now,
            )
        )
    WebhookDelivery.objects.bulk_create(rows, batch_size=BATCH)
    return len(rows)


def next_sequence(endpoint: WebhookEndpoint) -> int:
    """Give the next place in the endpoint's order.

    The endpoint's row stays locked until the publisher commits: places are taken in the order in
    which messages can be seen.
    """
    with transaction.atomic():
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(last_sequence=F("last_sequence") + 1)
        return WebhookEndpoint.objects.values_list("last_sequence", flat=True).get(pk=endpoint.pk)
