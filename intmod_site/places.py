"""How many calls a process answers at once: fewer than it has threads.

A call holds its thread for as long as its provider takes, a stream for as long as it lasts. If
calls could hold all of them, nobody could log in, look at the admin or be told to come again.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from intmod_site.api.errors import ServiceUnavailable

RETRY_AFTER_S = 1


class Places:
    """Counts calls in, and refuses those beyond the number; shared by the threads of a process.

    Args:
        number: How many; 0 is no bound.
    """

    def __init__(self, number: int) -> None:
        self._free = threading.BoundedSemaphore(number) if number else None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Take a place while the block runs.

        Raises:
            ServiceUnavailable: There is none free.
        """
        free = self._free
        if free is None:
            yield
            return
        if not free.acquire(blocking=False):
            raise ServiceUnavailable(
                "As many calls as can be answered at once are being answered; try again.",
                code="overloaded",
                retry_after_s=RETRY_AFTER_S,
            )
        try:
            yield
        finally:
            free.release()


places = Places(settings.AI_CALLS_AT_ONCE)
