"""Geometry of charts: everything stays in the plot, and values keep their proportions."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intmod_site.charts import HEIGHT, WIDTH, bar_chart, line_chart, nice_step, ticks_up_to

values = st.floats(0, 1e12, allow_nan=False).filter(lambda value: value == 0 or value > 1e-9)


@pytest.mark.parametrize(
    ("rough", "step"),
    [(1, 1), (1.1, 2), (2.1, 2.5), (3, 5), (5.1, 10), (0.3 / 3, 0.1), (0.007, 0.01), (140, 200)],
)
def test_steps_are_round(rough: float, step: float) -> None:
    assert nice_step(rough) == pytest.approx(step)


@pytest.mark.parametrize(("rough", "step"), [(0.2, 1), (1.5, 2), (2.2, 5), (23, 25), (0.999, 1)])
def test_steps_of_counts_are_whole(rough: float, step: float) -> None:
    assert nice_step(rough, whole=True) == step


@pytest.mark.parametrize("rough", [0, -1, float("nan"), float("inf")])
def test_a_step_needs_a_positive_number(rough: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        nice_step(rough)


def test_ticks_of_nothing() -> None:
    assert [(tick.value, tick.y) for tick in ticks_up_to(0)] == [(0, HEIGHT), (1, 0)]


@given(values, st.booleans())
def test_ticks_reach_the_highest_value_at_even_distances(highest: float, whole: bool) -> None:
    ticks = ticks_up_to(highest, whole=whole)
    assert 2 <= len(ticks) <= 4
    assert ticks[0].value == 0
    assert ticks[0].y == HEIGHT
    assert ticks[-1].y == 0
    assert ticks[-1].value >= highest * (1 - 1e-9)
    distances = {round(a.y - b.y, 6) for a, b in pairwise(ticks)}
    assert len(distances) == 1
    if whole:
        assert all(float(tick.value).is_integer() for tick in ticks)


@given(st.lists(values, max_size=30))
def test_bars_stay_in_the_plot(heights: list[float]) -> None:
    chart = bar_chart(heights, [str(height) for height in heights], marked=heights)
    assert [bar.value for bar in chart.bars] == heights
    for bar in chart.bars:
        assert bar.slot_x <= bar.x
        assert bar.x + bar.width <= bar.slot_x + bar.slot_width + 1e-2
        assert bar.slot_x + bar.slot_width <= WIDTH + 1e-1
        assert -1e-2 <= bar.y <= HEIGHT
        assert bar.y + bar.height == pytest.approx(HEIGHT, abs=1e-2)
        assert bar.marked_height == bar.height


def test_bars_keep_proportions_and_mark_a_part() -> None:
    chart = bar_chart([10, 20, 0], ["a", "b", "c"], marked=[5, 0, 0], whole=True)
    tall = chart.bars[1].height
    assert chart.bars[0].height == pytest.approx(tall / 2)
    assert chart.bars[0].marked_height == pytest.approx(tall / 4)
    assert chart.bars[2].height == 0


def test_no_bars() -> None:
    assert bar_chart([], []).bars == ()


def test_a_line_has_gaps_where_values_are_missing() -> None:
    chart = line_chart([None, 5, 10, None, 10], list("abcde"))
    assert chart.path == "M72 50 L120 0 M216 0 L216 0"
    assert chart.area == "M72 50 L120 0 L120 100 L72 100 Z"
    assert [point.label for point in chart.points] == ["b", "c", "e"]


def test_no_line() -> None:
    chart = line_chart([None, None], ["a", "b"])
    assert (chart.path, chart.area, chart.points) == ("", "", ())


@given(st.lists(st.none() | values, max_size=30))
def test_points_stay_in_the_plot(heights: list[float | None]) -> None:
    chart = line_chart(heights, [""] * len(heights))
    assert len(chart.points) == sum(height is not None for height in heights)
    for point in chart.points:
        assert 0 < point.x < WIDTH
        assert -1e-2 <= point.y <= HEIGHT


def test_each_value_has_a_label() -> None:
    with pytest.raises(ValueError, match="zip"):
        bar_chart([1, 2], ["a"])
