"""The circuit breaker, on a clock that the tests move."""

import threading
import tracemalloc

import pytest

from integrations.http.breaker import Breaker, BreakerPolicy, State

POLICY = BreakerPolicy(window_s=60, min_calls=4, failure_rate=0.5, open_s=30, probe_timeout_s=10)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(POLICY, clock=clock)


def opened(breaker: Breaker) -> Breaker:
    for _ in range(POLICY.min_calls):
        breaker.failed()
    return breaker


def test_it_opens_only_after_enough_calls(breaker: Breaker) -> None:
    for _ in range(POLICY.min_calls - 1):
        breaker.failed()
    assert breaker.state is State.CLOSED
    breaker.failed()
    assert breaker.state is State.OPEN


def test_it_stays_closed_while_most_calls_succeed(breaker: Breaker) -> None:
    for _ in range(20):
        breaker.succeeded()
        breaker.succeeded()
        breaker.failed()
    assert breaker.state is State.CLOSED


def test_a_call_that_began_well_and_broke_off_is_one_failure(breaker: Breaker) -> None:
    for number in range(20):
        breaker.succeeded()
        if number % 3 == 2:
            breaker.failed(after_success=True)
    assert breaker.state is State.CLOSED
    for _ in range(20):
        breaker.succeeded()
        breaker.failed(after_success=True)
    assert breaker.state is State.OPEN


def test_failures_outside_the_window_do_not_count(breaker: Breaker, clock: Clock) -> None:
    for _ in range(POLICY.min_calls - 1):
        breaker.failed()
    clock.now += POLICY.window_s
    breaker.failed()
    assert breaker.state is State.CLOSED


def test_the_window_moves_on_slice_by_slice(breaker: Breaker, clock: Clock) -> None:
    for _ in range(10):
        breaker.succeeded()
    clock.now += POLICY.window_s / 2
    for _ in range(POLICY.min_calls):
        breaker.failed()
    assert breaker.state is State.CLOSED
    clock.now += POLICY.window_s / 2
    breaker.failed()
    assert breaker.state is State.OPEN


def test_counting_takes_no_more_memory_for_more_calls(breaker: Breaker, clock: Clock) -> None:
    tracemalloc.start()
    try:
        for _ in range(20_000):
            breaker.succeeded()
            clock.now += 0.001
        counted_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert counted_bytes < 50_000


def test_open_refuses_and_says_for_how_long(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += 10
    assert breaker.admit() == pytest.approx(20)


def test_half_open_lets_one_probe_pass(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += POLICY.open_s
    assert breaker.state is State.HALF_OPEN
    assert breaker.admit() is None
    assert breaker.admit() is not None


def test_of_many_threads_one_is_the_probe(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += POLICY.open_s
    answers: list[float | None] = []
    threads = [threading.Thread(target=lambda: answers.append(breaker.admit())) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(None) == 1


def test_a_good_probe_closes_it(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += POLICY.open_s
    breaker.admit()
    breaker.succeeded()
    assert breaker.state is State.CLOSED
    assert breaker.admit() is None


def test_a_bad_probe_opens_it_for_the_whole_wait_again(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += POLICY.open_s
    breaker.admit()
    breaker.failed()
    assert breaker.admit() == pytest.approx(POLICY.open_s)


def test_an_abandoned_probe_makes_way_at_once(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += POLICY.open_s
    breaker.admit()
    breaker.abandoned()
    assert breaker.admit() is None


def test_a_probe_that_never_ends_makes_way_in_time(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += POLICY.open_s
    breaker.admit()
    clock.now += POLICY.probe_timeout_s
    assert breaker.admit() is None


def test_calls_from_before_it_opened_neither_close_it_nor_prolong_the_wait(
    breaker: Breaker, clock: Clock
) -> None:
    opened(breaker)
    clock.now += 10
    breaker.succeeded()
    breaker.failed()
    assert breaker.admit() == pytest.approx(20)
