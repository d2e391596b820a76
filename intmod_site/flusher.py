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
from django.db import InterfaceError, OperationalError, connection, transaction

from intmod_site.database import release_connection
from intmod_site.row_table import Row, RowTable

log = logging.getLogger("intmod.flusher")

# Long inserts hold SQLite's only write lock; PostgreSQL gains from larger ones.
BATCH_ROWS = {"sqlite": 200, "postgresql": 1000}
RETRY_DELAYS_S = (0.1, 0.5, 2.0)

TableRow = tuple[RowTable, Row]


class Flusher:
    """The queue and thread of one process."""

    def __init__(self, *, max_rows: int, interval_s: float) -> None:
        self.pid = os.getpid()
        self._queue: queue.SimpleQueue[TableRow] = queue.SimpleQueue()
        self._max_rows = max_rows
        self._interval_s = interval_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="flusher", daemon=True)
        self._thread.start()
        # multiprocessing's own exit hook also runs in server workers, which skip atexit.
        Finalize(self, self.drain, exitpriority=100)

    def add(self, rows: tuple[TableRow, ...]) -> None:
        """Queue rows; when the queue is full, write them now."""
        if self._stop.is_set() or self._queue.qsize() >= self._max_rows:
            write_patiently(list(rows))
            return
        for row in rows:
            self._queue.put(row)

    def drain(self) -> None:
        """Stop the thread and write what is left."""
        self._stop.set()
        self._thread.join(timeout=10)
        self._flush()

    def _run(self) -> None:
        while not self._stop.wait(self._interval_s):
            try:
                self._flush()
            except Exception:
                # Whatever it is, it must not end the thread that all later rows wait for.
                log.exception("flush failed")

    def _flush(self) -> None:
        rows: list[TableRow] = []
        try:
            while True:
                rows.append(self._queue.get_nowait())
        except queue.Empty:
            pass
        if rows:
            write_patiently(rows)


def write(rows: Iterable[TableRow]) -> None:
    """Insert rows of any tables in batches, each in a transaction of its own."""
    for table, batch in _batches(rows):
        with transaction.atomic():
            table.insert(batch)


def write_patiently(rows: list[TableRow]) -> None:
    """Insert rows, trying again while the database is away; then tell what could not be kept."""
    for table, batch in _batches(rows):
        for delay_s in (*RETRY_DELAYS_S, None):
            try:
                with transaction.atomic():
                    table.insert(batch)
            except (OperationalError, InterfaceError):
                connection.close()
                if delay_s is None:
                    log.exception("rows lost", extra={"fields": {"rows": len(batch)}})
                    break
                threading.Event().wait(delay_s)
            except Exception:  # noqa: BLE001 -- of the driver or the database, about one of the rows
                _write_one_by_one(table, batch)
                break
            else:
                break
    release_connection()


def _write_one_by_one(table: RowTable, batch: list[Row]) -> None:
    """Keep the good rows of a batch that has a bad one."""
    for row in batch:
        try:
            with transaction.atomic():
                table.insert([row])
        except Exception:
            log.exception("rows lost", extra={"fields": {"rows": 1}})


def _batches(rows: Iterable[TableRow]) -> Iterable[tuple[RowTable, list[Row]]]:
    by_table: dict[RowTable, list[Row]] = defaultdict(list)
    for table, row in rows:
        by_table[table].append(row)
    size = BATCH_ROWS.get(connection.vendor, 100)
    for table, of_table in by_table.items():
        for start in range(0, len(of_table), size):
            yield table, of_table[start : start + size]


_flusher: Flusher | None = None
_lock = threading.Lock()


def add_rows(*rows: TableRow) -> None:
    """Hand over rows to be inserted soon; with FLUSHER_QUEUE_ROWS=0 they are inserted at once."""
    if settings.FLUSHER_QUEUE_ROWS == 0:
        write(rows)
        return
    _of_this_process().add(rows)


def drain_rows() -> None:
    """Write what is waiting: before an exit that runs no hooks."""
    if _flusher is not None and _flusher.pid == os.getpid():
        _flusher.drain()


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
