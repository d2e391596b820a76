"""Whose turn it is: of many calls that came at once, a few are let in at a time.

Before a call can wait for its provider it is authenticated, which takes a connection of the
database's pool and a share of the one thread that Python runs at a time. If hundreds of calls did
so at once, whoever asks for anything else would wait behind all of them, for each of both. So a
call takes a turn when it comes, and its turn ends when it begins to wait for somebody else.

A turn is a courtesy and no lock: who has waited too long for one goes on without.
"""

import os
import threading
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Self

from django.db import connection

from intmod_site.fair_semaphore import FairSemaphore

AT_ONCE = 8
"""Well below the connections of the database's pool: the others are there for everybody else."""

PATIENCE_S = 2.0


class Turns:
    """The turns of one process.

    Args:
        at_once: How many there are.
        patience_s: How long to wait for one.
    """

    def __init__(self, *, at_once: int = AT_ONCE, patience_s: float = PATIENCE_S) -> None:
        self._at_once = at_once
        self._patience_s = patience_s
        self._begin_anew()
        # A forked child has none of its parent's threads, and may find the lock held.
        os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        self._free = FairSemaphore(self._at_once)
        self._mine = threading.local()

    def taken(self) -> Self:
        """Have a turn while the `with` block runs, or until `end`; one for each thread."""
        return self

    def __enter__(self) -> Self:
        # Who has one already would wait for themselves, and forget to give one of them back.
        if not getattr(self._mine, "has_one", False):
            self._mine.has_one = self._free.acquire(self._patience_s)
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """End this thread's turn, if it has one."""
        if getattr(self._mine, "has_one", False):
            self._mine.has_one = False
            self._free.release()


turns = Turns()

_writing = Turns(at_once=1)


def turn_to_write() -> AbstractContextManager[Any]:
    """Give the turn to write, where the database lets one write at a time.

    SQLite's writers wait for its lock by asking again, ever less often: of many, whoever came last
    is as likely to get it as whoever has waited longest, and some are refused in the end. Those
    of one process come one after the other here, and ask when it is their turn.
    """
    return _writing.taken() if connection.vendor == "sqlite" else nullcontext()
