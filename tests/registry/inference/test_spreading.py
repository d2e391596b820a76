"""In which order the targets of a route are asked."""

import random
from collections import Counter

import pytest

from registry.inference.spreading import Weighed, by_weight, in_order, least_busy


def test_each_is_drawn_first_as_often_as_its_weight_says() -> None:
    targets = [("a", Weighed(7)), ("b", Weighed(2)), ("c", Weighed(1)), ("d", Weighed(0))]
    dice = random.Random(1).random
    first = Counter(by_weight(targets, dice)[0] for _ in range(10_000))
    assert set(first) == {"a", "b", "c"}
    assert first["a"] == pytest.approx(7000, abs=300)
    assert first["c"] == pytest.approx(1000, abs=150)


@pytest.mark.parametrize("weight", [1e-6, 1, 1e6])
def test_nobody_is_left_out_and_weightless_ones_come_last(weight: float) -> None:
    targets = [("spare", Weighed(0)), ("a", Weighed(weight)), ("b", Weighed(weight))]
    for _ in range(50):
        order = by_weight(targets)
        assert sorted(order) == ["a", "b", "spare"]
        assert order[2] == "spare"


def test_places_go_before_weights() -> None:
    targets = [("c", Weighed(1, 2)), ("a", Weighed(1, 0)), ("b1", Weighed(1, 1))]
    targets.append(("b2", Weighed(9, 1)))
    orders = [in_order(targets) for _ in range(200)]
    assert {(order[0], order[3]) for order in orders} == {("a", "c")}
    assert Counter(order[1] for order in orders)["b2"] > 120


def test_the_least_busy_goes_first_by_its_weight() -> None:
    targets = [("big", Weighed(10)), ("small", Weighed(1)), ("spare", Weighed(0))]
    busy = Counter(big=5, small=1)
    assert least_busy(targets, busy.__getitem__) == ["big", "small", "spare"]
    busy["big"] = 20
    assert least_busy(targets, busy.__getitem__) == ["small", "big", "spare"]


def test_ties_are_drawn_by_weight() -> None:
    targets = [("a", Weighed(9)), ("b", Weighed(1))]
    dice = random.Random(2).random
    first = Counter(least_busy(targets, lambda _: 0, dice)[0] for _ in range(2000))
    assert first["a"] == pytest.approx(1800, abs=100)
