"""Doing something again and again in a thread, whatever becomes of the database meanwhile."""

import logging
import threading
from collections.abc import Callable

from django.db import DatabaseError, InterfaceError, close_old_connections, connections

from intmod_site.database import release_connection

log = logging.getLogger("intmod.worker")


class Loop:
    """Calls a function every so many seconds until it is told to end.

    Args:
        name: Of the thread, and in the log.
        every_s: Between the end of one call and the next.
        function: What to do; an exception is logged and the next call comes all the same.
    """

    def __init__(self, name: str, every_s: float, function: Callable[[], object]) -> None:
        self._name, self._every_s, self._function = name, every_s, function
        self._over = threading.Event()
        # The worker ends these itself; one that hangs must not keep the process alive.
        self._thread = threading.Thread(target=self._run, name=f"worker-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End soon: the call that is under way is finished."""
        self._over.set()

    def join(self, timeout_s: float | None = None) -> None:
        """Wait for the end."""
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        try:
            while not self._over.is_set():
                self._call()
                self._over.wait(self._every_s)
        finally:
            connections.close_all()

    def _call(self) -> None:
        close_old_connections()
        try:
            self._function()
        except (DatabaseError, InterfaceError) as error:
            log.warning("database trouble", exc_info=error, extra={"fields": {"in": self._name}})
            connections.close_all()
        except Exception:
            log.exception("a loop broke", extra={"fields": {"in": self._name}})
        release_connection()
