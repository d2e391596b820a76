"""Logs as one JSON object a line, ready for any collector."""

import logging
import os
import sys
import threading
from collections import deque
from datetime import UTC, datetime
from multiprocessing.util import Finalize

import orjson

from intmod_site.request_context import current_request_id

FLUSH_INTERVAL_S = 0.1

# Our lines show none of what these collect for each record.
# https://docs.python.org/3/howto/logging.html#optimization
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
logging._srcfile = None


class JSONFormatter(logging.Formatter):
    """Writes time, level, logger, message, request id and the record's `fields`, if any."""

    def format(self, record: logging.LogRecord) -> str:
        """Give one line; an exception's trace is one string in it."""
        line = {
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(
                timespec="milliseconds"
            ),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            "request_id": current_request_id(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


class BatchingHandler(logging.Handler):
    """Writes lines to stderr a tenth of a second later, many at once.

    Each write to a pipe lets another thread run, and with dozens of busy threads the writer waits
    milliseconds to run again. Warnings and worse are written at once, with all lines before them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lines: deque[str] = deque()
        self._writing = threading.Lock()
        self._pid = 0
        os.register_at_fork(after_in_child=self._forget_parent)

    def createLock(self) -> None:  # noqa: N802 -- logging's own name
        """Do without logging's lock: appending to a deque needs none."""
        self.lock = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line for the next write."""
        try:
            self._lines.append(self.format(record))
        except Exception:  # noqa: BLE001 -- as logging's handlers do: a bad record ends nothing
            self.handleError(record)
            return
        if record.levelno >= logging.WARNING:
            self.flush()
        elif self._pid != os.getpid():
            self._start_thread()

    def flush(self) -> None:
        """Write what is waiting."""
        with self._writing:
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            if lines:
                sys.stderr.write("\n".join(lines) + "\n")
                sys.stderr.flush()

    def _forget_parent(self) -> None:
        # The parent writes its own lines, and may have held the lock when it forked.
        self._lines.clear()
        self._writing = threading.Lock()
        self._pid = 0

    def _start_thread(self) -> None:
        with self._writing:
            if self._pid == os.getpid():
                return
            self._pid = os.getpid()
        threading.Thread(target=self._run, name="log-writer", daemon=True).start()
        Finalize(self, self.flush, exitpriority=50)

    def _run(self) -> None:
        pause = threading.Event()
        while not pause.wait(FLUSH_INTERVAL_S):
            self.flush()
