"""How many threads multiply matrices: as many as make tokens fastest at the moment.

On idle cores two threads are half as fast again as one. But they wait for each other, actively,
some hundred times a token: where another process wants a core, they are several times slower
than one. No setting is right for both, so it is measured.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController

# Memory's bandwidth is used up by then.
_MOST_THREADS = 4
# Every so many tokens the choice that is not the best is measured again.
_TRY_EVERY = 64
# How much the latest measurement counts against those before.
_WEIGHT = 0.3


class ThreadTuner:
    """Learns from measured times which number of threads is best.

    Args:
        choices: Numbers of threads; the first one is best until it is known better.
    """

    def __init__(self, choices: tuple[int, ...]) -> None:
        self._choices = choices
        self._seconds: dict[int, float] = {}
        self._picked = 0

    @property
    def best(self) -> int:
        """The number of threads that took least time lately."""
        return min(self._seconds, key=self._seconds.__getitem__, default=self._choices[0])

    def pick(self) -> int:
        """Give the number of threads for the next step: mostly the best, sometimes another."""
        self._picked += 1
        untried = [choice for choice in self._choices if choice not in self._seconds]
        if untried:
            return untried[0]
        if self._picked % _TRY_EVERY == 0:
            return self._choices[self._picked // _TRY_EVERY % len(self._choices)]
        return self.best

    def record(self, threads: int, seconds: float) -> None:
        """Learn what a step took with that many threads."""
        before = self._seconds.get(threads, seconds)
        self._seconds[threads] = before + _WEIGHT * (seconds - before)


class BlasThreads:
    """Sets the number of threads that NumPy's matrix library uses, for the length of a block.

    Outside of the blocks it is what it was. Libraries whose threads cannot be set are left alone.
    """

    def __init__(self) -> None:
        self._controller = ThreadpoolController().select(user_api="blas")
        most = max((library["num_threads"] for library in self._controller.info()), default=1)
        self._tuner = ThreadTuner(tuple(sorted({1, min(most, _MOST_THREADS)})))

    @contextmanager
    def best(self) -> Iterator[None]:
        """Use the number of threads that is best so far."""
        with self._controller.limit(limits=self._tuner.best):
            yield

    @contextmanager
    def measured(self) -> Iterator[None]:
        """Use the number of threads that the tuner picks, and tell it how long the block took."""
        threads = self._tuner.pick()
        with self._controller.limit(limits=threads):
            began = time.perf_counter()
            yield
            self._tuner.record(threads, time.perf_counter() - began)
