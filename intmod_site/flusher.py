"""Rows that nobody waits for: a bounded queue, one thread per process, inserts in batches.

A call's own record must not cost the caller a commit. When the queue is full the caller writes
its rows itself, which slows callers down instead of losing rows. The queue is drained when the
process ends; only a kill -9 loses rows, those of the last interval.
"""

import logging
import os
import queue
import threading
from collections import defaultdict
from collections.abc import Iterable
from multiprocessing.util import Finalize

from django.conf import settings
from django.db import DatabaseError, connection, models, transaction

log = logging.getLogger("intmod.flusher")

# Long inserts hold SQLite's only write lock; PostgreSQL gains from larger ones.
BATCH_ROWS = {"sqlite": 100, "postgresql": 500}
RETRY_DELAYS_S = (0.1, 0.5, 2.0)


class Flusher:
    """The queue and thread of one process."""

    def __init__(self, *, max_rows: int, interval_s: float) -> None:
        self.pid = os.getpid()
        self._queue: queue.Queue[models.Model] = queue.Queue(maxsize=max_rows)
        self._interval_s = interval_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="flusher", daemon=True)
        self._thread.start()
        # multiprocessing's own exit hook also runs in server workers, which skip atexit.
        Finalize(self, self.drain, exitpriority=100)

    def add(self, rows: Iterable[models.Model]) -> None:
        """Queue rows; what does not fit is written by the caller."""
        overflow = []
        for row in rows:
            try:
                self._queue.put_nowait(row)
            except queue.Full:
                overflow.append(row)
        if overflow:
            write(overflow)

    def drain(self) -> None:
        """Stop the thread and write what is left."""
        self._stop.set()
        self._thread.join(timeout=10)
        self._flush()

    def _run(self) -> None:
        while not self._stop.wait(self._interval_s):
            self._flush()
            connection.close()

    def _flush(self) -> None:
        rows = []
        try:
            while True:
                rows.append(self._queue.get_nowait())
        except queue.Empty:
            pass
        if rows:
            write_patiently(rows)


def write(rows: Iterable[models.Model]) -> None:
    """Insert rows of any tables in batches, each in a transaction of its own."""
    by_table: dict[type[models.Model], list[models.Model]] = defaultdict(list)
    for row in rows:
        by_table[type(row)].append(row)
    size = BATCH_ROWS.get(connection.vendor, 100)
    for table, batch in by_table.items():
        for start in range(0, len(batch), size):
            with transaction.atomic():
                table._default_manager.bulk_create(batch[start : start + size])


def write_patiently(rows: list[models.Model]) -> None:
    """Insert rows, trying again while the database is away; then tell what could not be kept."""
    for delay_s in (*RETRY_DELAYS_S, None):
        try:
            write([row for row in rows if row._state.adding])
        except DatabaseError:
            connection.close()
            if delay_s is None:
                log.exception("rows lost", extra={"fields": {"rows": len(rows)}})
                return
            threading.Event().wait(delay_s)
        else:
            return


_flusher: Flusher | None = None
_lock = threading.Lock()


def add_rows(*rows: models.Model) -> None:
    """Hand over rows to be inserted soon; with FLUSHER_QUEUE_ROWS=0 they are inserted at once."""
    if settings.FLUSHER_QUEUE_ROWS == 0:
        write(rows)
        return
    _of_this_process().add(rows)


def _of_this_process() -> Flusher:
    global _flusher  # noqa: PLW0603
    flusher = _flusher
    if flusher is not None and flusher.pid == os.getpid():
        return flusher
    with _lock:
        if _flusher is None or _flusher.pid != os.getpid():
            _flusher = Flusher(
                max_rows=settings.FLUSHER_QUEUE_ROWS, interval_s=settings.FLUSHER_INTERVAL_S
            )
        return _flusher
