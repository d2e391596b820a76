"""How many threads multiply matrices: as many as make tokens fastest at the moment.

On idle cores two threads are half as fast again as one. But they wait for each other, actively,
some hundred times a token: where another process wants a core, they are several times slower
than one. No setting is right for both, so it is measured.
"""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from threadpoolctl import ThreadpoolController

# Memory's bandwidth is used up by then.
_MOST_THREADS = 4
# Steps by which a choice is judged; their median counts, because single steps are disturbed.
_TRIAL_STEPS = 3
_REMEMBERED_STEPS = 5
# Steps between trials of the others: the more often the best one holds, the fewer trials.
_SHORTEST_INTERVAL, _LONGEST_INTERVAL = 16, 256
# A trial comes at once when the best one takes this many times as long as when it was chosen.
_MUCH_SLOWER = 1.5


class ThreadTuner:
    """Learns from measured times which number of threads is best.

    Args:
        choices: Numbers of threads; the first one is best until all were tried.
    """

    def __init__(self, choices: tuple[int, ...]) -> None:
        self.best = choices[0]
        self._seconds = {choice: deque[float](maxlen=_REMEMBERED_STEPS) for choice in choices}
        self._to_try = [choice for choice in choices for _ in range(_TRIAL_STEPS)]
        self._expected_s = 0.0
        self._interval = self._steps_left = _SHORTEST_INTERVAL

    def pick(self) -> int:
        """Give the number of threads for the next step: the best, or one that is on trial."""
        return self._to_try[0] if self._to_try else self.best

    def record(self, threads: int, seconds: float) -> None:
        """Learn what the step took with the picked number of threads."""
        self._seconds[threads].append(seconds)
        if self._to_try:
            self._to_try.pop(0)
            if not self._to_try:
                self._decide()
            return
        self._steps_left -= 1
        if self._steps_left <= 0 or self._median(self.best) > _MUCH_SLOWER * self._expected_s:
            self._try_others()

    def _try_others(self) -> None:
        for choice in self._seconds.keys() - {self.best}:
            self._seconds[choice].clear()
            self._to_try += [choice] * _TRIAL_STEPS
        if not self._to_try:
            self._decide()

    def _decide(self) -> None:
        winner = min(self._seconds, key=self._median)
        held = winner == self.best
        self._interval = min(2 * self._interval, _LONGEST_INTERVAL) if held else _SHORTEST_INTERVAL
        self._steps_left = self._interval
        self.best = winner
        self._expected_s = self._median(winner)

    def _median(self, choice: int) -> float:
        return median(self._seconds[choice])


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
