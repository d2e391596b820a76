"""Which endpoints get a worker's threads: healthy ones many, failing ones few. Pure.

One that hangs holds a thread for as long as its patience lasts. So an endpoint whose latest attempt
failed gets one thread, and all of those together at most half of them.
"""

import random
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

LANES_PER_ENDPOINT = 4


class Candidate(Protocol):
    """Something that wants a thread."""

    @property
    def endpoint_id(self) -> Hashable:
        """Whose."""
        ...

    @property
    def is_ordered(self) -> bool:
        """Whether one thread is all that it can use."""
        ...

    @property
    def is_suspect(self) -> bool:
        """Whether its latest attempt failed."""
        ...


C = TypeVar("C", bound=Candidate)


@dataclass(slots=True)
class Lanes:
    """The threads of a worker, by what they are busy with.

    Args:
        total: How many there are.
    """

    total: int
    _busy: "Counter[Hashable]" = field(default_factory=Counter)
    _suspect: "Counter[Hashable]" = field(default_factory=Counter)

    @property
    def free(self) -> int:
        """Threads with nothing to do."""
        return self.total - self._busy.total()

    def choose(self, candidates: Sequence[C]) -> list[C]:
        """Give the endpoints that get a free thread now, each as often as it gets one."""
        chosen: list[C] = []
        waiting = random.sample(candidates, len(candidates))
        while waiting and self.free:
            # Those with the fewest threads first; one more for each in a round.
            waiting.sort(key=lambda one: self._busy[one.endpoint_id])
            again = []
            for one in waiting:
                if self.free and self._may(one):
                    self._take(one)
                    chosen.append(one)
                    again.append(one)
            waiting = again
        return chosen

    def give_back(self, one: Candidate) -> None:
        """A thread has done with an endpoint."""
        self._busy[one.endpoint_id] -= 1
        if one.is_suspect:
            self._suspect[one.endpoint_id] -= 1
        for counter in (self._busy, self._suspect):
            if counter[one.endpoint_id] <= 0:
                del counter[one.endpoint_id]

    def _may(self, one: Candidate) -> bool:
        busy = self._busy[one.endpoint_id]
        if one.is_suspect:
            return busy == 0 and self._suspect.total() < max(self.total // 2, 1)
        return busy < (1 if one.is_ordered else LANES_PER_ENDPOINT)

    def _take(self, one: Candidate) -> None:
        self._busy[one.endpoint_id] += 1
        if one.is_suspect:
            self._suspect[one.endpoint_id] += 1
