"""The loop over tries and fallbacks, on a clock that the tests move."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from math import inf
from typing import Any

import pytest

from integrations.http.breaker import Breaker, BreakerPolicy, State
from integrations.http.retry import RetryPolicy
from integrations.http.steps import done
from intmod_site.api.errors import (
    ApiError,
    ServiceUnavailable,
    TooManyRequests,
    UpstreamFailed,
    ValidationFailed,
)
from registry.inference.attempts import Answered, answering, at_once
from registry.inference.providers.failures import Fallback, Kind
from registry.inference.providers.upstream_errors import UpstreamError


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@dataclass
class Target:
    """Answers by its script: an error's kind, or None for an answer."""

    name: str
    script: list[Kind | UpstreamError | None]
    retries: RetryPolicy = field(default_factory=lambda: RetryPolicy(2, 1.0))
    breaker: Breaker = field(default_factory=Breaker)
    on: frozenset[Fallback] = frozenset({Fallback.ON_ERROR})
    asked: int = 0

    def takes(self, fallback: Fallback) -> bool:
        return fallback in self.on

    def answer(self, left_s: float) -> str:
        self.asked += 1
        said = self.script.pop(0)
        if said is None:
            return self.name
        raise said if isinstance(said, UpstreamError) else UpstreamError(said)


Run = Callable[..., Answered[Target, str]]


def first_answer(
    targets: Iterable[Target], ask: Callable[[Target, float], str], **told: Any
) -> Answered[Target, str]:
    return done(answering(targets, at_once(ask), step_s=inf, **told))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def run(clock: Clock) -> Run:
    def call(*targets: Target, deadline_s: float = 60) -> Answered[Target, str]:
        return first_answer(
            targets,
            Target.answer,
            deadline_s=deadline_s,
            clock=clock,
            wait=clock.wait,
            dice=lambda: 1.0,
        )

    return call


def test_an_answer_at_once_waits_for_nothing(run: Run, clock: Clock) -> None:
    answered = run(Target("a", [None]))
    assert (answered.answer, answered.tries, clock.waits) == ("a", 1, [])


def test_it_tries_again_with_growing_waits(run: Run, clock: Clock) -> None:
    answered = run(Target("a", [Kind.SERVER_ERROR, Kind.RESET, None]))
    assert (answered.answer, answered.tries, clock.waits) == ("a", 3, [1.0, 2.0])


def test_what_the_upstream_asks_to_wait_is_waited(run: Run, clock: Clock) -> None:
    run(Target("a", [UpstreamError(Kind.RATE_LIMITED, retry_after_s=7), None]))
    assert clock.waits == [7]


def test_a_longer_wait_than_is_left_goes_to_the_next_at_once(run: Run, clock: Clock) -> None:
    limited = UpstreamError(Kind.RATE_LIMITED, retry_after_s=100)
    answered = run(Target("a", [limited]), Target("b", [None]))
    assert (answered.answer, clock.waits) == ("b", [])


def test_a_persistent_limit_reaches_the_caller_with_its_wait(run: Run) -> None:
    limits: list[Kind | UpstreamError | None] = [
        UpstreamError(Kind.RATE_LIMITED, retry_after_s=5) for _ in range(3)
    ]
    with pytest.raises(TooManyRequests) as raised:
        run(Target("a", limits))
    assert raised.value.retry_after_s == 5


@pytest.mark.parametrize("kind", [Kind.BAD_REQUEST, Kind.UNPROCESSABLE, Kind.REQUEST_TOO_LARGE])
def test_the_callers_own_mistake_is_told_and_not_tried_again(run: Run, kind: Kind) -> None:
    first, second = Target("a", [kind]), Target("b", [None])
    with pytest.raises(ValidationFailed):
        run(first, second)
    assert (first.asked, second.asked) == (1, 0)
    assert first.breaker.state is State.CLOSED


def test_what_we_configured_wrong_goes_to_the_next_without_a_retry(run: Run) -> None:
    first = Target("a", [Kind.UNAUTHENTICATED])
    assert run(first, Target("b", [None])).answer == "b"
    assert first.asked == 1


@pytest.mark.parametrize(
    ("kind", "edge"),
    [
        (Kind.CONTEXT_LENGTH, Fallback.ON_CONTEXT_LENGTH),
        (Kind.CONTENT_FILTER, Fallback.ON_CONTENT_FILTER),
    ],
)
def test_typed_fallbacks_take_what_they_are_named_for(run: Run, kind: Kind, edge: Fallback) -> None:
    ordinary, typed = Target("b", [None]), Target("c", [None], on=frozenset({edge}))
    assert run(Target("a", [kind]), ordinary, typed).answer == "c"
    assert ordinary.asked == 0
    with pytest.raises(ValidationFailed):
        run(Target("a", [kind]), Target("b", [None]))


def failing(count: int, name: str = "a") -> Target:
    policy = BreakerPolicy(min_calls=1, open_s=30)
    script: list[Kind | UpstreamError | None] = [Kind.SERVER_ERROR] * count
    return Target(name, script, RetryPolicy(0, 0.0), Breaker(policy))


def test_an_open_breaker_is_passed_over(run: Run) -> None:
    broken = failing(1)
    with pytest.raises(UpstreamFailed):
        run(broken)
    assert run(broken, Target("b", [None])).answer == "b"
    assert broken.asked == 1


def test_with_all_breakers_open_the_caller_is_told_when_to_come_back(run: Run) -> None:
    first, second = failing(1), failing(1, "b")
    with pytest.raises(UpstreamFailed):
        run(first, second)
    with pytest.raises(ServiceUnavailable) as raised:
        run(first, second)
    assert raised.value.error_code == "circuit_open"
    assert 0 < (raised.value.retry_after_s or 0) <= 30


def test_a_probe_that_reached_nobody_does_not_close_the_breaker(run: Run) -> None:
    breaker = Breaker(BreakerPolicy(min_calls=1, open_s=0))
    breaker.failed()
    assert breaker.state is State.HALF_OPEN
    for error in (Kind.MISCONFIGURED, Kind.CANCELLED):
        with pytest.raises(UpstreamFailed):
            run(Target("a", [error], breaker=breaker))
        assert breaker.state is State.HALF_OPEN
    with pytest.raises(ValidationFailed):
        run(Target("a", [UpstreamError(Kind.BAD_REQUEST, upstream_status=400)], breaker=breaker))
    assert breaker.state is State.CLOSED


def test_who_is_not_asked_for_want_of_time_keeps_no_probe(run: Run, clock: Clock) -> None:
    breaker = Breaker(BreakerPolicy(min_calls=1, open_s=0))
    breaker.failed()
    first = Target("a", [Kind.SERVER_ERROR], RetryPolicy(1, 10.0))

    def slow(target: Target, left_s: float) -> str:
        if target is first:
            clock.now += left_s
        return target.answer(left_s)

    second = Target("b", [None], breaker=breaker)
    with pytest.raises(UpstreamFailed):
        first_answer([first, second], slow, deadline_s=5, clock=clock, wait=clock.wait)
    assert second.asked == 0
    assert run(second).answer == "b"


def test_a_breaker_that_opens_ends_the_retries(run: Run) -> None:
    target = Target("a", [Kind.SERVER_ERROR] * 3, breaker=Breaker(BreakerPolicy(min_calls=1)))
    with pytest.raises(UpstreamFailed):
        run(target)
    assert target.asked == 1


def test_nothing_is_asked_past_the_deadline(run: Run, clock: Clock) -> None:
    target = Target("a", [Kind.SERVER_ERROR] * 5, RetryPolicy(5, 10.0))
    with pytest.raises(ApiError):
        run(target, deadline_s=25)
    assert clock.now <= 1025
    assert target.asked == 2


def test_another_error_than_the_upstreams_passes_through(run: Run) -> None:
    class Refusing(Target):
        def answer(self, left_s: float) -> str:
            raise ValidationFailed("the adapter cannot ask this")

    with pytest.raises(ValidationFailed, match="the adapter"):
        first_answer(
            [Refusing("a", [])], lambda target, left_s: target.answer(left_s), deadline_s=1
        )
