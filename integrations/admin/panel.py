"""What an integration's page shows below the form: how it does, charts, its latest calls."""

from typing import Any

from integrations.admin.hours import cards_of
from integrations.connections.history import Hour, last_day
from integrations.connections.status import IntegrationStatus, statuses
from integrations.models import CallRecord, Integration
from intmod_site.chart_cards import Card

LISTED = 10
TONES = {
    "healthy": "good",
    "degraded": "warn",
    "failing": "bad",
    "unknown": "quiet",
    "inactive": "quiet",
}


def panel_of(integration: Integration) -> dict[str, Any]:
    """Give the panel's parts: as many queries, however much was called."""
    (status,) = statuses([integration], window="24h")
    hours = last_day(integration.pk)
    latest = (
        CallRecord.objects.filter(integration_id=integration.pk)
        .defer("request_text", "response_text")
        .order_by("-created_at")[:LISTED]
    )
    return {
        "status": status,
        "tone": TONES[status.health],
        "cards": _cards(hours, status) if status.request_count else [],
        "hours": hours,
        "calls": latest,
    }


def _cards(hours: tuple[Hour, ...], status: IntegrationStatus) -> list[Card]:
    return cards_of(
        hours, total=status.request_count, error_rate=status.error_rate, p95_ms=status.p95_ms
    )
