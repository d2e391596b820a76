"""How many calls each version is answering, in this process."""

import threading
from collections import Counter
from uuid import UUID


class InFlight:
    """Counts calls from their beginning to their end; one for all threads of a process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[UUID] = Counter()

    def enter(self, version_id: UUID) -> None:
        """A call begins."""
        with self._lock:
            self._counts[version_id] += 1

    def leave(self, version_id: UUID) -> None:
        """A call ended."""
        with self._lock:
            self._counts[version_id] -= 1
            if self._counts[version_id] <= 0:
                del self._counts[version_id]

    def count(self, version_id: UUID) -> int:
        """Give the calls that run now."""
        return self._counts.get(version_id, 0)


in_flight = InFlight()
