"""What an integration's page shows below the form: how it does, charts, its latest calls."""

from typing import Any

from integrations.connections.history import Hour, last_day
from integrations.connections.status import IntegrationStatus, statuses
from integrations.models import CallRecord, Integration
from intmod_site.chart_cards import Card, compact, make_card, milliseconds
from intmod_site.charts import bar_chart, line_chart

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
    begins = [hour.begins for hour in hours]
    busiest = max(hour.calls for hour in hours)
    slowest = max((hour.p95_ms or 0 for hour in hours), default=0)
    return [
        make_card(
            begins,
            key="calls",
            title="Attempts",
            figure=f"{status.request_count:,}",
            note=f"{status.error_rate:.1%} failed; most in one hour: {busiest:,}",
            chart=bar_chart(
                [hour.calls for hour in hours],
                [
                    f"{hour.begins:%H:%M}  {hour.calls:,} attempts, {hour.errors:,} failed"
                    for hour in hours
                ],
                marked=[hour.errors for hour in hours],
                whole=True,
            ),
            shown=compact,
        ),
        make_card(
            begins,
            key="latency",
            title="Latency, p95",
            figure=milliseconds(status.p95_ms),
            note=f"slowest hour: {milliseconds(slowest)}",
            chart=line_chart(
                [hour.p95_ms for hour in hours],
                [f"{hour.begins:%H:%M}  {milliseconds(hour.p95_ms)}" for hour in hours],
            ),
            shown=lambda value: milliseconds(value) if value else "0",
        ),
    ]
