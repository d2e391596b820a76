"""Histograms: merged in any order, percentiles within one bucket."""

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.monitoring.histogram import ACCURACY, Summary, bucket_of, middle_of

VALUES = st.floats(min_value=-1e12, max_value=1e12, allow_nan=False)


def raw_percentile(values: list[float], share: float) -> float:
    return sorted(values)[max(1, math.ceil(share * len(values) - 1e-9)) - 1]


@given(VALUES)
def test_a_buckets_middle_is_near_all_that_is_in_it(value: float) -> None:
    middle = middle_of(bucket_of(value))
    assert abs(middle - value) <= ACCURACY * abs(value) * 1.0001 + 1e-9


@given(st.lists(VALUES, min_size=1, max_size=200), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_percentile_lies_in_the_bucket_of_the_raw_one(values: list[float], share: float) -> None:
    found = Summary.of(values).percentile(share)
    raw = raw_percentile(values, share)
    assert found is not None
    assert abs(found - raw) <= 2 * ACCURACY * abs(raw) + 1e-9


@given(st.lists(st.lists(VALUES, max_size=20), max_size=10))
def test_merging_is_the_same_as_having_all(parts: list[list[float]]) -> None:
    merged = Summary()
    for part in parts:
        merged.merge(Summary.of(part))
    whole = Summary.of(value for part in parts for value in part)
    assert (merged.count, merged.buckets) == (whole.count, whole.buckets)
    assert (merged.least, merged.most) == (whole.least, whole.most)
    assert merged.percentile(0.95) == whole.percentile(0.95)


def test_percentiles_are_not_averaged() -> None:
    """99 fast calls in one minute and one slow call in another: the p95 is a fast one."""
    merged = Summary.of([10.0] * 99)
    merged.merge(Summary.of([10_000.0]))
    assert merged.percentile(0.95) == pytest.approx(10, rel=ACCURACY)


def test_it_survives_storage() -> None:
    values = [random.Random(1).lognormvariate(5, 2) for _ in range(1000)] + [0.0, -3.0]
    summary = Summary.of(values)
    assert Summary.buckets_from(summary.as_json()) == summary.buckets


@pytest.mark.parametrize(
    ("aggregation", "value"),
    [("avg", 2.0), ("min", 1.0), ("max", 3.0), ("sum", 6.0), ("count", 3.0)],
)
def test_other_aggregations(aggregation: str, value: float) -> None:
    assert Summary.of([1, 2, 3]).value(aggregation) == value


def test_nothing_has_no_value_but_a_count() -> None:
    assert Summary().value("count") == 0
    assert [Summary().value(name) for name in ("avg", "min", "p95", "sum")] == [None] * 4
