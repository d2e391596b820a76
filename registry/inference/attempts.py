"""One loop over everything that may answer a call: tries, waits, fallbacks, breakers, one deadline.

Pure: who is asked, the clock and the dice are handed in. The loop is a generator, which gives None
wherever it waits, so that a stream's caller can be watched meanwhile.
"""

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from time import monotonic, sleep
from typing import Generic, Protocol, TypeVar

from integrations.http.breaker import Breaker
from integrations.http.retry import RetryPolicy
from integrations.http.steps import Steps
from intmod_site.api.errors import ApiError, ServiceUnavailable, UpstreamTimeout
from registry.inference.providers.failures import Fallback
from registry.inference.providers.upstream_errors import UpstreamError

Answer = TypeVar("Answer")
MIN_TRY_S = 0.05
"""With less than this left of the deadline, asking somebody new could only fail."""
STEP_S = 0.5
"""How long to wait for anything without a look at whether a stream's caller is still there."""


class Candidate(Protocol):
    """Somebody who may answer; `takes` says after which failures of the one before."""

    @property
    def retries(self) -> RetryPolicy:
        """How often and how soon to ask again."""
        ...

    @property
    def breaker(self) -> Breaker:
        """What stops calls to it."""
        ...

    def takes(self, fallback: Fallback) -> bool:
        """Whether it answers in place of one who failed in this way."""
        ...


Somebody = TypeVar("Somebody", bound=Candidate)


@dataclass(frozen=True, slots=True)
class Answered(Generic[Somebody, Answer]):
    """Who answered, what, and after how many tries in all."""

    by: Somebody
    answer: Answer
    tries: int


@dataclass(slots=True)
class _Last:
    """How the tries went so far."""

    tries: int = 0
    error: UpstreamError | None = None
    soonest_s: float | None = None


def at_once(
    ask: Callable[[Somebody, float], Answer],
) -> Callable[[Somebody, float], Steps[Answer]]:
    """Make asking that answers when it returns one of steps: there are none."""

    def asking(candidate: Somebody, left_s: float) -> Steps[Answer]:
        yield from ()
        return ask(candidate, left_s)

    return asking


def answering(
    candidates: Iterable[Somebody],
    asking: Callable[[Somebody, float], Steps[Answer]],
    *,
    deadline_s: float,
    clock: Callable[[], float] = monotonic,
    wait: Callable[[float], None] = sleep,
    dice: Callable[[], float] = random.random,
    step_s: float,
) -> Steps[Answered[Somebody, Answer]]:
    """Ask the candidates in order until one answers, step by step; closed, it asks nobody any more.

    Args:
        candidates: The first is the one that was called for, the others its fallbacks.
        asking: Asks one, with the seconds that are left.
        deadline_s: Seconds for everything together.
        clock: Seconds that only ever grow.
        wait: Sleeps.
        dice: Gives a number from 0 to 1, for the jitter of waits.
        step_s: How long a step sleeps at most.

    Raises:
        ApiError: Of the last failure, or 503 with Retry-After when every breaker is open.
    """
    ends_at = clock() + deadline_s
    last = _Last()
    for candidate in _willing(candidates, last):
        # The breaker is asked last: who is let pass as its probe must say how that ended.
        for wait_s in _retries(candidate, last, ends_at, clock, dice):
            yield from _waiting(wait_s, wait, step_s)
            refused_for_s = candidate.breaker.admit()
            if refused_for_s is not None:
                last.soonest_s = min(refused_for_s, last.soonest_s or refused_for_s)
                break
            last.tries += 1
            try:
                answer = yield from _asked(candidate, asking, ends_at - clock())
            except UpstreamError as error:
                last.error = error
                continue
            return Answered(candidate, answer, last.tries)
    raise _failure(last)


def _waiting(wait_s: float, wait: Callable[[float], None], step_s: float) -> Iterator[None]:
    while wait_s > 0:
        wait(min(wait_s, step_s))
        wait_s -= step_s
        yield


def _willing(candidates: Iterable[Somebody], last: _Last) -> Iterator[Somebody]:
    for number, candidate in enumerate(candidates):
        fallback = last.error.fallback if last.error else Fallback.ON_ERROR
        if number == 0 or (fallback is not Fallback.NONE and candidate.takes(fallback)):
            yield candidate


def _retries(
    candidate: Candidate,
    last: _Last,
    ends_at: float,
    clock: Callable[[], float],
    dice: Callable[[], float],
) -> Iterator[float]:
    """Give what to wait before each try at one candidate, nothing before the first."""
    if ends_at - clock() >= MIN_TRY_S:
        yield 0.0
    retry = 1
    while last.error is not None and last.error.retryable:
        wait_s = candidate.retries.wait_s(
            retry,
            left_s=ends_at - clock() - MIN_TRY_S,
            retry_after_s=last.error.retry_after_s,
            dice=dice,
        )
        if wait_s is None:
            return
        yield wait_s
        retry += 1


def _asked(
    candidate: Somebody, asking: Callable[[Somebody, float], Steps[Answer]], left_s: float
) -> Steps[Answer]:
    """Ask one candidate once, and tell its breaker how it went."""
    breaker = candidate.breaker
    try:
        answer = yield from asking(candidate, left_s)
    except UpstreamError as error:
        if error.trips:
            breaker.failed()
        elif error.upstream_status is not None:
            # It answered; that the answer is no says that it is well.
            breaker.succeeded()
        else:
            breaker.abandoned()
        raise
    except BaseException:
        breaker.abandoned()
        raise
    breaker.succeeded()
    return answer


def _failure(last: _Last) -> ApiError:
    if last.error is not None:
        return last.error.to_api_error()
    if last.soonest_s is not None:
        return ServiceUnavailable(
            "Every provider of this model is failing and left alone for a while.",
            code="circuit_open",
            retry_after_s=last.soonest_s,
        )
    return UpstreamTimeout("There was no time left to ask a provider.")
