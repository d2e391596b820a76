"""Many small changes, one transaction: what comes while others commit is committed together next.

A commit waits for the disk, whether it holds one change or a hundred. Whoever comes first leads:
it opens a transaction, takes what is waiting by then, makes all of it and commits. Whoever comes
meanwhile waits, and the first of those leads the next. Nobody is answered before the commit, and a
lone caller commits at once. Callers who were answered together come back together: a leader
waits a moment for as many as there were last time, because many cost little more than one.
"""

import os
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from django.db import InterfaceError, OperationalError, connection, transaction

from intmod_site.turns import turn_to_write

Change = TypeVar("Change")
Outcome = TypeVar("Outcome")

AWAY = (OperationalError, InterfaceError)
"""The database cannot be reached or does not come round to us: trying each alone would not help."""


GATHER_S = 0.002
"""How long a leader waits for others at most: about what a commit takes."""


class _Waiting(Generic[Change, Outcome]):
    """One change, until it is known what became of it."""

    __slots__ = ("change", "error", "outcome", "settled", "woken")

    def __init__(self, change: Change) -> None:
        self.change = change
        self.woken = threading.Lock()
        self.woken.acquire()
        self.settled = False
        self.outcome: list[Outcome] = []
        self.error: Exception | None = None


class GroupCommit(Generic[Change, Outcome]):
    """The changes of one kind in one process.

    Args:
        make: Makes changes inside a transaction and gives an outcome for each, in order. It may
            be called anew for the same changes, after its transaction was taken back.
        size: How large a change is, in a unit of the caller's.
        at_once: How large the changes of one transaction may be together; one always is.
    """

    def __init__(
        self,
        make: Callable[[Sequence[Change]], Sequence[Outcome]],
        *,
        size: Callable[[Change], int],
        at_once: int,
    ) -> None:
        self._make = make
        self._size = size
        self._at_once = at_once
        self._begin_anew()
        # A forked child has none of its parent's threads, and may find the lock held.
        os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[_Waiting[Change, Outcome]] = deque()
        self._led = False
        self._expected = 1
        self._gathered = threading.Event()

    def commit(self, change: Change) -> Outcome:
        """Make a change, and give its outcome once it is committed.

        Inside a transaction of the caller's it is made at once, and committed with that.

        Raises:
            django.db.OperationalError: The database is away.
            Exception: What `make` raises for this change alone.
        """
        if connection.in_atomic_block:
            return self._alone(change)
        mine: _Waiting[Change, Outcome] = _Waiting(change)
        with self._lock:
            self._waiting.append(mine)
            leads, self._led = not self._led, True
            self._count()
        if not leads:
            mine.woken.acquire()
        if not mine.settled:
            self._lead()
        if isinstance(mine.error, AWAY):
            # An instance of its own: several threads raise it, and each adds its traceback.
            raise type(mine.error)(*mine.error.args) from mine.error
        if mine.error is not None:
            raise mine.error
        if mine.outcome:
            return mine.outcome[0]
        # Somebody's change cannot be made. Whose it is comes out when each is made alone.
        with turn_to_write():
            return self._alone(change)

    def _alone(self, change: Change) -> Outcome:
        with transaction.atomic():
            return self._make([change])[0]

    def _lead(self) -> None:
        """Make what is waiting, its own change first; then let the next one lead."""
        group: list[_Waiting[Change, Outcome]] = []
        error: Exception | None = None
        outcomes: Sequence[Outcome] = ()
        try:
            self._gather()
            with turn_to_write(), transaction.atomic():
                # Only now: others came while this one waited for its turn and for the database.
                group = self._taken()
                outcomes = self._make([each.change for each in group])
        except Exception as raised:  # noqa: BLE001 -- each of them is told, or tries by itself
            outcomes = ()
            if isinstance(raised, AWAY) or len(group) == 1:
                error = raised
        except BaseException:
            outcomes = ()
            raise
        finally:
            self._settle(group or self._taken(), outcomes, error)

    def _count(self) -> None:
        """Say whether all who are expected wait; whoever asks holds the lock."""
        if len(self._waiting) >= self._expected:
            self._gathered.set()
        else:
            self._gathered.clear()

    def _gather(self) -> None:
        if self._expected > 1:
            self._gathered.wait(GATHER_S)

    def _taken(self) -> list[_Waiting[Change, Outcome]]:
        group: list[_Waiting[Change, Outcome]] = []
        total = 0
        with self._lock:
            while self._waiting:
                total += self._size(self._waiting[0].change)
                if group and total > self._at_once:
                    break
                group.append(self._waiting.popleft())
            # Who comes alone after many others is soon not kept waiting any more.
            self._expected = max(len(group), self._expected // 2, 1)
            self._count()
        return group

    def _settle(
        self,
        group: list[_Waiting[Change, Outcome]],
        outcomes: Sequence[Outcome],
        error: Exception | None,
    ) -> None:
        for index, each in enumerate(group):
            each.outcome = list(outcomes[index : index + 1])
            each.error = error
            each.settled = True
        with self._lock:
            following = self._waiting[0] if self._waiting else None
            self._led = following is not None
        if following is not None:
            following.woken.release()
        for each in group:
            each.woken.release()
