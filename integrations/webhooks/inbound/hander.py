"""Handing events on as they fall due, in a thread beside whatever else a worker does."""

import logging
import threading

from django.db import DatabaseError, InterfaceError, connections

from integrations.webhooks.inbound.handing_on import hand_on_due
from intmod_site.database import release_connection

log = logging.getLogger("intmod.webhooks")

POLL_S = 0.2
AFTER_TROUBLE_S = 2.0


class Hander:
    """One thread that hands events on until it is told to end; any number may run anywhere."""

    def __init__(self) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="webhooks-inbound")

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End soon: the event that is being handed on is, and no other."""
        self._over.set()

    def join(self) -> None:
        """Wait for the end."""
        self._thread.join()

    def _run(self) -> None:
        try:
            while not self._over.is_set():
                if not self._hand_on():
                    release_connection()
                    self._over.wait(POLL_S)
        finally:
            connections.close_all()

    def _hand_on(self) -> int:
        try:
            return hand_on_due(until=self._over.is_set)
        except (DatabaseError, InterfaceError) as error:
            log.warning("database trouble", exc_info=error, extra={"fields": {"while": "handing"}})
        except Exception:
            log.exception("handing on broke")
        connections.close_all()
        self._over.wait(AFTER_TROUBLE_S)
        return 0
