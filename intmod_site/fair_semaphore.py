"""A semaphore that is handed over to whoever has waited longest.

Python's own wakes those who wait, and gives to whoever comes first then: of hundreds that come
again and again, some would never be served.
"""

import threading
from collections import deque


class FairSemaphore:
    """Lets so many in; shared by the threads of a process.

    Args:
        number: How many.
    """

    def __init__(self, number: int) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self.free = number
        """How many could be let in now."""

    @property
    def waiting(self) -> int:
        """How many wait to be let in."""
        return len(self._waiting)

    def acquire(self, patience_s: float) -> bool:
        """Say whether this thread was let in, at once or while it waited.

        Args:
            patience_s: The longest wait.
        """
        with self._lock:
            if self.free:
                self.free -= 1
                return True
            handed_over = threading.Lock()
            handed_over.acquire()
            self._waiting.append(handed_over)
        if handed_over.acquire(timeout=patience_s):
            return True
        with self._lock:
            if handed_over in self._waiting:
                self._waiting.remove(handed_over)
                return False
        # It was handed over just when the time was up.
        return True

    def release(self) -> None:
        """Let the next one in."""
        with self._lock:
            if self._waiting:
                # Handed over, first come first served: nobody can slip in between.
                self._waiting.popleft().release()
            else:
                self.free += 1
