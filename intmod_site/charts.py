"""From numbers to the geometry of charts. Pure: no Django, no database, no colours.

Plots are drawn in a box of `WIDTH` by `HEIGHT` units that templates stretch to the page; y points
down, as in SVG. https://www.w3.org/TR/SVG2/coords.html
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WIDTH = 240.0
HEIGHT = 100.0
GAP = 0.28
"""Share of a bar's slot that stays empty."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A line across the plot, and its value."""

    value: float
    y: float


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar, with the part of it that is marked (from the bottom), and the slot it stands in."""

    x: float
    y: float
    width: float
    height: float
    marked_y: float
    marked_height: float
    slot_x: float
    slot_width: float
    value: float
    marked: float
    label: str


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a line, in the middle of its slot."""

    x: float
    y: float
    slot_x: float
    slot_width: float
    value: float
    label: str


@dataclass(frozen=True, slots=True)
class BarChart:
    """Bars over a scale from zero."""

    width: float
    height: float
    bars: tuple[Bar, ...]
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class LineChart:
    """A line with gaps where values are missing.

    `path` and `area` are SVG path data; a lone point between gaps is a stroke of no length.
    """

    width: float
    height: float
    points: tuple[Point, ...]
    path: str
    area: str
    ticks: tuple[Tick, ...]
    limits: tuple[Tick, ...] = ()


def nice_step(rough: float, *, whole: bool = False) -> float:
    """Give the smallest of 1, 2, 2.5 or 5 times a power of ten that is not below `rough`.

    Args:
        rough: What would do.
        whole: Whether the step must be a whole number.

    Raises:
        ValueError: `rough` is not a positive finite number.
    """
    if not (math.isfinite(rough) and rough > 0):
        raise ValueError("A step is positive and finite.")
    power = 10.0 ** math.floor(math.log10(rough))
    steps = [factor * power for factor in (1, 2, 2.5, 5, 10)]
    if whole:
        steps = [step for step in steps if step.is_integer()] or [1.0]
    # A hair's breadth of slack: 0.3 / 3 is a little more than 0.1.
    return next((step for step in steps if step >= rough * (1 - 1e-9)), steps[-1])


def ticks_up_to(highest: float, *, count: int = 3, whole: bool = False) -> tuple[Tick, ...]:
    """Give ticks from zero to a round number that is not below `highest`, at even distances.

    Args:
        highest: The largest value to show.
        count: Steps aimed at; there are at most as many.
        whole: Whether the values are counts, between which there is nothing.
    """
    step = nice_step(highest / count, whole=whole) if highest > 0 else 1.0
    steps = max(1, math.ceil(highest / step * (1 - 1e-9)))
    return tuple(
        Tick(value=round(index * step, 12), y=HEIGHT - HEIGHT * index / steps)
        for index in range(steps + 1)
    )


def bar_chart(
    values: Sequence[float],
    labels: Sequence[str],
    *,
    marked: Sequence[float] = (),
    whole: bool = False,
) -> BarChart:
    """Lay out one bar a value.

    Args:
        values: Heights, zero or more.
        labels: One for each value.
        marked: The part of each value that is drawn apart, such as errors among calls.
        whole: Whether the values are counts.
    """
    parts = marked or [0.0] * len(values)
    ticks = ticks_up_to(max(values, default=0), whole=whole)
    slot = WIDTH / max(len(values), 1)
    bars = []
    for index, (value, part, label) in enumerate(zip(values, parts, labels, strict=True)):
        height, marked_height = _scaled(value, ticks), _scaled(part, ticks)
        bars.append(
            Bar(
                x=round(index * slot + slot * GAP / 2, 3),
                y=round(HEIGHT - height, 3),
                width=round(slot * (1 - GAP), 3),
                height=round(height, 3),
                marked_y=round(HEIGHT - marked_height, 3),
                marked_height=round(marked_height, 3),
                slot_x=round(index * slot, 3),
                slot_width=round(slot, 3),
                value=value,
                marked=part,
                label=label,
            )
        )
    return BarChart(WIDTH, HEIGHT, tuple(bars), ticks)


def line_chart(
    values: Sequence[float | None], labels: Sequence[str], *, limits: Sequence[float] = ()
) -> LineChart:
    """Lay out a line through the values; None leaves a gap.

    Args:
        values: Heights, zero or more.
        labels: One for each value.
        limits: Values that are drawn as lines across; the scale reaches them.
    """
    ticks = ticks_up_to(
        max((value for value in (*values, *limits) if value is not None), default=0)
    )
    slot = WIDTH / max(len(values), 1)
    points: list[Point] = []
    runs: list[list[Point]] = []
    previous: float | None = None
    for index, (value, label) in enumerate(zip(values, labels, strict=True)):
        if value is not None:
            point = Point(
                x=round((index + 0.5) * slot, 3),
                y=round(HEIGHT - _scaled(value, ticks), 3),
                slot_x=round(index * slot, 3),
                slot_width=round(slot, 3),
                value=value,
                label=label,
            )
            points.append(point)
            if previous is None:
                runs.append([])
            runs[-1].append(point)
        previous = value
    return LineChart(
        WIDTH,
        HEIGHT,
        tuple(points),
        path=" ".join(_stroke(run) for run in runs),
        area=" ".join(_surface(run) for run in runs if len(run) > 1),
        ticks=ticks,
        limits=tuple(
            Tick(value=limit, y=round(HEIGHT - _scaled(limit, ticks), 3)) for limit in limits
        ),
    )


def _scaled(value: float, ticks: tuple[Tick, ...]) -> float:
    return HEIGHT * value / ticks[-1].value


def _stroke(run: list[Point]) -> str:
    places = [f"{point.x:g} {point.y:g}" for point in run]
    return "M" + " L".join(places if len(places) > 1 else places * 2)


def _surface(run: list[Point]) -> str:
    return f"{_stroke(run)} L{run[-1].x:g} {HEIGHT:g} L{run[0].x:g} {HEIGHT:g} Z"
