"""How many calls a process answers at once: fewer than it has threads.

A call holds its thread for as long as its provider takes, a stream for as long as it lasts. If
calls could hold all of them, nobody could log in, look at the admin or be told to come again.

Who finds no place waits a moment for one. Many would otherwise come again as soon as they are
refused, and refusing them thousands of times a second takes the processor from those who have a
place.
"""

from typing import Self

from django.conf import settings

from intmod_site.api.errors import ServiceUnavailable
from intmod_site.fair_semaphore import FairSemaphore

RETRY_AFTER_S = 1
PATIENCE_S = 0.25
"""Most calls that end within a second leave a place to somebody in this time."""

SHORT_PATIENCE_S = 0.01
"""Of those who wait on threads that are kept back from calls: it only slows refusals down, to a
hundred a second for each of these threads."""


class Places:
    """Counts calls in, and refuses those beyond the number; shared by the threads of a process.

    Args:
        number: How many; 0 is no bound.
        waiting: How many more may wait for a place.
        patience_s: For how long.
    """

    def __init__(self, number: int, *, waiting: int = 0, patience_s: float = PATIENCE_S) -> None:
        self._free = FairSemaphore(number) if number else None
        self._may_wait = waiting
        self._patience_s = patience_s

    def taken(self) -> Self:
        """Take a place while the `with` block runs.

        Raises:
            ServiceUnavailable: There is none free, nor was in the time that one may wait.
        """
        return self

    def __enter__(self) -> Self:
        if self._free is not None and not self._free.acquire(self._patience(self._free.waiting)):
            raise ServiceUnavailable(
                "As many calls as can be answered at once are being answered; try again.",
                code="overloaded",
                retry_after_s=RETRY_AFTER_S,
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._free is not None:
            self._free.release()

    def _patience(self, waiting: int) -> float:
        return self._patience_s if waiting < self._may_wait else SHORT_PATIENCE_S


places = Places(settings.AI_CALLS_AT_ONCE, waiting=settings.AI_CALLS_WAITING)
