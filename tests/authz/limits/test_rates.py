"""Rates: all at once at first, then at the allowed pace, over any number of callers."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from authz.limits.rates import Rate, correct, forget_paid, take
from authz.models import RateBucket

RATE = Rate(6, 60)


class Clock:
    def __init__(self) -> None:
        self.now_s = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock(db: None) -> Clock:
    return Clock()


def allowed(clock: Clock, key: str = "k", units: int = 1) -> bool:
    return take(key=key, rate=RATE, units=units, clock=clock).allowed


def test_the_limit_may_come_at_once_and_then_one_by_one(clock: Clock) -> None:
    assert [allowed(clock) for _ in range(8)] == [True] * 6 + [False] * 2
    clock.now_s += 9.9
    assert not allowed(clock)
    clock.now_s += 0.2
    assert [allowed(clock) for _ in range(2)] == [True, False]
    clock.now_s += 1000
    assert [allowed(clock) for _ in range(8)] == [True] * 6 + [False] * 2


def test_it_says_what_is_left_and_when_to_come_back(clock: Clock) -> None:
    first = take(key="k", rate=RATE, clock=clock)
    assert (first.remaining, first.reset_s, first.retry_after_s) == (5, 10, 0)
    for _ in range(5):
        last = take(key="k", rate=RATE, clock=clock)
    assert (last.remaining, last.reset_s) == (0, 60)
    refused = take(key="k", rate=RATE, units=2, clock=clock)
    assert (refused.allowed, refused.remaining, refused.retry_after_s) == (False, 0, 20)
    clock.now_s += 20
    assert allowed(clock, units=2)


def test_refusals_take_nothing(clock: Clock) -> None:
    for _ in range(20):
        allowed(clock)
    clock.now_s += 10.1
    assert allowed(clock)


def test_keys_do_not_share(clock: Clock) -> None:
    assert allowed(clock, "a", 6)
    assert not allowed(clock, "a")
    assert allowed(clock, "b")


def test_more_than_the_limit_counts_as_the_limit(clock: Clock) -> None:
    assert allowed(clock, units=1000)
    assert not allowed(clock)
    clock.now_s += 60
    assert allowed(clock, units=1000)


def test_what_was_guessed_is_corrected(clock: Clock) -> None:
    assert allowed(clock, units=6)
    correct(key="k", rate=RATE, units=-4, clock=clock)
    assert take(key="k", rate=RATE, units=4, clock=clock).allowed
    correct(key="k", rate=RATE, units=6, clock=clock)
    clock.now_s += 60
    assert not allowed(clock)
    correct(key="k", rate=RATE, units=-1000, clock=clock)
    assert [allowed(clock) for _ in range(7)] == [True] * 6 + [False], "no credit is saved up"


def test_what_is_paid_is_forgotten(clock: Clock) -> None:
    allowed(clock, "a")
    clock.now_s += 30
    allowed(clock, "b")
    assert forget_paid(clock=clock) == 1
    assert RateBucket.objects.get().key == "b"


class Pace(TestCase):
    @settings(deadline=None, max_examples=30)
    @given(waits_s=st.lists(st.floats(0, 30), min_size=5, max_size=40), limit=st.integers(1, 20))
    def test_no_period_lets_more_than_twice_the_limit_pass(
        self, waits_s: list[float], limit: int
    ) -> None:
        RateBucket.objects.all().delete()
        clock, rate = Clock(), Rate(limit, 60)
        passed: list[float] = []
        for wait_s in waits_s:
            clock.now_s += wait_s
            if take(key="k", rate=rate, clock=clock).allowed:
                passed.append(clock.now_s)
        for began_s in passed:
            within = [at_s for at_s in passed if began_s <= at_s < began_s + 60]
            assert len(within) <= 2 * limit
        # In the long run it is the limit, plus what may come at once.
        spent_s = sum(waits_s)
        assert len(passed) <= limit + limit * spent_s / 60 + 1
