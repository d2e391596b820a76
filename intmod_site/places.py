"""How many calls a process answers at once: fewer than it has threads.

A call holds its thread for as long as its provider takes, a stream for as long as it lasts. If
calls could hold all of them, nobody could log in, look at the admin or be told to come again.
"""

import threading
from typing import Self

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

    def taken(self) -> Self:
        """Take a place while the `with` block runs.

        Raises:
            ServiceUnavailable: There is none free.
        """
        return self

    def __enter__(self) -> Self:
        if self._free is not None and not self._free.acquire(blocking=False):
            raise ServiceUnavailable(
                "As many calls as can be answered at once are being answered; try again.",
                code="overloaded",
                retry_after_s=RETRY_AFTER_S,
            )
        return self

    def __exit__(self, *_: object) -> None:
        if self._free is not None:
            self._free.release()


places = Places(settings.AI_CALLS_AT_ONCE)
