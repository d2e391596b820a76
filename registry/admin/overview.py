"""The overview's cards: the numbers of the last 24 hours, as charts and words."""

from collections.abc import Callable
from typing import Any

from intmod_site.chart_cards import Card, compact, make_card, milliseconds
from intmod_site.charts import bar_chart, line_chart
from registry.monitoring.dashboard import Day, Hour


def cards(day: Day) -> list[Card]:
    """Give the cards: calls, errors, latency, cost."""
    hours = day.hours
    counts = [hour.calls for hour in hours]
    errors = [hour.errors for hour in hours]
    busiest = max(hours, key=lambda hour: hour.calls)
    dearest = max(hours, key=lambda hour: hour.cost_usd)
    slowest = max(hours, key=lambda hour: hour.p95_ms or 0)
    return [
        _card(
            hours,
            key="calls",
            title="Calls",
            figure=f"{day.calls:,}",
            note=f"most in one hour: {busiest.calls:,}",
            chart=bar_chart(
                counts,
                _labels(hours, lambda hour: f"{hour.calls:,} calls, {hour.errors:,} failed"),
                marked=errors,
                whole=True,
            ),
            shown=compact,
        ),
        _card(
            hours,
            key="errors",
            title="Errors",
            figure=f"{day.errors:,}",
            note=f"{day.error_rate:.1%} of all calls",
            chart=bar_chart(
                errors, _labels(hours, lambda hour: f"{hour.errors:,} errors"), whole=True
            ),
            shown=compact,
        ),
        _card(
            hours,
            key="latency",
            title="Latency, p95",
            figure=milliseconds(day.p95_ms),
            note=f"slowest hour: {milliseconds(slowest.p95_ms)}",
            chart=line_chart(
                [hour.p95_ms for hour in hours],
                _labels(hours, lambda hour: milliseconds(hour.p95_ms)),
            ),
            shown=lambda value: milliseconds(value) if value else "0",
        ),
        _card(
            hours,
            key="cost",
            title="Cost",
            figure=dollars(day.cost_usd),
            note=f"dearest hour: {dollars(dearest.cost_usd)}",
            chart=bar_chart(
                [float(hour.cost_usd) for hour in hours],
                _labels(hours, lambda hour: dollars(hour.cost_usd)),
            ),
            shown=lambda value: dollars(value) if value else "0",
        ),
    ]


def dollars(value: Any) -> str:
    """Write an amount to the cent, smaller ones with two significant digits."""
    if not value:
        return "$0"
    if value >= 1000:
        return f"${value:,.0f}"
    if value >= 0.1:
        return f"${value:.2f}"
    return "$" + f"{value:.9f}"[: _digits_to(value)].rstrip("0")


def _digits_to(value: Any) -> int:
    text = f"{value:.9f}"
    first = next((index for index, digit in enumerate(text) if digit in "123456789"), len(text))
    return first + 2


def _card(hours: tuple[Hour, ...], **parts: Any) -> Card:
    return make_card([hour.begins for hour in hours], **parts)


def _labels(hours: tuple[Hour, ...], tell: Callable[[Hour], str]) -> list[str]:
    return [f"{hour.begins:%H:%M}  {tell(hour)}" for hour in hours]
