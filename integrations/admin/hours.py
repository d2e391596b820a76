"""Cards of attempts and their latency by the hour."""

from integrations.connections.history import Hour
from intmod_site.chart_cards import Card, compact, make_card, milliseconds
from intmod_site.charts import bar_chart, line_chart


def cards_of(
    hours: tuple[Hour, ...], *, total: int, error_rate: float, p95_ms: float | None
) -> list[Card]:
    """Draw the hours.

    Args:
        hours: Oldest first.
        total: Attempts in all of them.
        error_rate: Share of them that failed.
        p95_ms: Their latency.
    """
    begins = [hour.begins for hour in hours]
    busiest = max(hour.calls for hour in hours)
    slowest = max((hour.p95_ms or 0 for hour in hours), default=0)
    return [
        make_card(
            begins,
            key="calls",
            title="Attempts",
            figure=f"{total:,}",
            note=f"{error_rate:.1%} failed; most in one hour: {busiest:,}",
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
            figure=milliseconds(p95_ms),
            note=f"slowest hour: {milliseconds(slowest)}",
            chart=line_chart(
                [hour.p95_ms for hour in hours],
                [f"{hour.begins:%H:%M}  {milliseconds(hour.p95_ms)}" for hour in hours],
            ),
            shown=lambda value: milliseconds(value) if value else "0",
        ),
    ]
