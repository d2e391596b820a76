"""Cards of charts: one number, and how it went by the hour."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from intmod_site.charts import BarChart, LineChart

HOURS_LABELLED = 4


@dataclass(frozen=True, slots=True)
class Card:
    """One number of the day, and how it went by the hour.

    Args:
        key: Names it in the page's ids and classes.
        title: What is counted.
        figure: The day's number.
        note: What else there is to say about it.
        chart: The hours.
        scale: Values of the chart's ticks, from the top down.
        hours: Labels below the chart, at even distances.
    """

    key: str
    title: str
    figure: str
    note: str
    chart: BarChart | LineChart
    scale: tuple[str, ...]
    hours: tuple[str, ...]

    @property
    def template(self) -> str:
        """What draws the chart."""
        return "charts/line.html" if isinstance(self.chart, LineChart) else "charts/bars.html"


def make_card(
    begins: Sequence[datetime],
    *,
    chart: BarChart | LineChart,
    shown: Callable[[float], str],
    key: str,
    title: str,
    figure: str,
    note: str,
) -> Card:
    """Put a card together.

    Args:
        begins: The hours' beginnings, oldest first, one for each value of the chart.
        chart: The values.
        shown: Writes a value of the chart's scale.
        key, title, figure, note: As in `Card`.
    """
    every = max(len(begins) // HOURS_LABELLED, 1)
    return Card(
        key=key,
        title=title,
        figure=figure,
        note=note,
        chart=chart,
        scale=tuple(shown(tick.value) for tick in reversed(chart.ticks)),
        hours=tuple(f"{moment:%H:%M}" for moment in begins[::every]),
    )


def compact(value: float) -> str:
    """Write a count briefly: 1,200 as 1.2k."""
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= limit:
            return f"{value / limit:.3g}{unit}"
    return f"{value:g}"


def milliseconds(value: float | None) -> str:
    """Write a latency with the digits that matter."""
    if value is None:
        return "-"
    if value >= 1000:
        return f"{value / 1000:.3g} s"
    return f"{value:.0f} ms" if value >= 10 else f"{value:.2g} ms"
