"""What an endpoint's page shows below the form: its last day, what waits, its latest deliveries."""

from typing import Any

from django.db.models import Count

from integrations.admin.hours import cards_of
from integrations.connections.history import Log, last_day
from integrations.models import DeliveryAttempt, WebhookDelivery, WebhookEndpoint

LISTED = 10
ATTEMPTS = Log(DeliveryAttempt, "endpoint_id", "started_at")
TONES = {
    "pending": "quiet",
    "held": "warn",
    "succeeded": "good",
    "exhausted": "bad",
    "failed": "bad",
}


def panel_of(endpoint: WebhookEndpoint) -> dict[str, Any]:
    """Give the panel's parts: as many queries, however much was delivered."""
    hours = last_day(endpoint.pk, log=ATTEMPTS)
    total, errors = sum(hour.calls for hour in hours), sum(hour.errors for hour in hours)
    rows = WebhookDelivery.objects.filter(endpoint=endpoint)
    waiting = rows.filter(state__in=["pending", "held"]).order_by()
    latest = rows.select_related("message").defer("message__body").order_by("-pk")[:LISTED]
    return {
        "cards": cards_of(
            hours,
            total=total,
            error_rate=errors / total if total else 0.0,
            p95_ms=max((hour.p95_ms for hour in hours if hour.p95_ms is not None), default=None),
        )
        if total
        else [],
        "hours": hours,
        "waiting": dict(waiting.values_list("state").annotate(Count("pk"))),
        "deliveries": [{"row": row, "tone": TONES[row.state]} for row in latest],
    }
