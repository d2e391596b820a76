"""Delivering what is due, with many threads, beside any number of other processes."""

import logging
import queue
import threading
from time import monotonic

from django.db import DatabaseError, InterfaceError, connections

from authz.limits.rates import forget_paid
from integrations.webhooks.attempt import attempt_loaded
from integrations.webhooks.audit_feed import publish_audit_events
from integrations.webhooks.claims import Ready, claim, give_back, ready_endpoints
from integrations.webhooks.lanes import Lanes
from integrations.webhooks.loading import load
from integrations.webhooks.release import release_held
from integrations.webhooks.retention import prune_messages
from intmod_site.database import release_connection

log = logging.getLogger("intmod.webhooks")

POLL_S = 0.1
HOUSEKEEPING_S = 1.0
PRUNING_S = 3600.0
CLAIMED_AT_ONCE = 20
LANE_S = 1.0
"""After so long a thread gives back what it has not begun: others may be free."""
AFTER_TROUBLE_S = 2.0


class Dispatcher:
    """Delivers until it is told to end.

    Args:
        threads: Attempts that are made at once.
    """

    def __init__(self, *, threads: int = 16) -> None:
        self._lanes = Lanes(threads)
        self._work: queue.SimpleQueue[Ready | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._changed = threading.Event()
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._serve, name=f"webhooks-{number}")
            for number in range(threads)
        ]
        self._housekeeper = threading.Thread(target=self._keep_house, name="webhooks-house")

    def stop(self) -> None:
        """End soon: what is under way is finished, nothing more is begun."""
        self._over.set()
        self._changed.set()

    def run(self, *, once: bool = False) -> None:
        """Deliver; returns when all that was begun has ended.

        Args:
            once: End when nothing is due.
        """
        for thread in self._threads:
            thread.start()
        if not once:
            self._housekeeper.start()
        try:
            while not self._over.is_set():
                # Asked first: a thread that ends may have left something due.
                was_idle = self._lanes.free == self._lanes.total
                begun = self._begin_what_is_due()
                if once and was_idle and not begun:
                    break
                self._wait()
        finally:
            self._end()

    def _begin_what_is_due(self) -> int:
        self._changed.clear()
        if not self._lanes.free:
            return 0
        try:
            ready = ready_endpoints()
        except (DatabaseError, InterfaceError) as error:
            self._trouble("looking for what is due", error)
            return 0
        with self._lock:
            chosen = self._lanes.choose(ready)
        for one in chosen:
            self._work.put(one)
        return len(chosen)

    def _wait(self) -> None:
        release_connection()
        self._changed.wait(POLL_S)

    def _serve(self) -> None:
        try:
            while (one := self._work.get()) is not None:
                more = False
                try:
                    more = self._deliver(one)
                except (DatabaseError, InterfaceError) as error:
                    self._trouble("delivering", error)
                except Exception:
                    log.exception("delivering broke")
                finally:
                    with self._lock:
                        self._lanes.give_back(one)
                    release_connection()
                if more:
                    self._changed.set()
        finally:
            connections.close_all()

    def _deliver(self, one: Ready) -> bool:
        """Deliver for a while; says whether there may be more."""
        limit = 1 if one.is_suspect else CLAIMED_AT_ONCE
        claims = claim(one, limit=limit, busy_s=LANE_S)
        loaded = load([delivery_id for delivery_id, _ in claims])
        began_s = monotonic()
        for index, (delivery_id, run) in enumerate(claims):
            if index and (self._over.is_set() or monotonic() - began_s > LANE_S):
                give_back(claims[index:])
                break
            if delivery_id in loaded:
                attempt_loaded(loaded[delivery_id], run)
        return bool(claims)

    def _keep_house(self) -> None:
        pruned_s = monotonic()
        try:
            while not self._over.wait(HOUSEKEEPING_S):
                try:
                    keep_house()
                    if monotonic() - pruned_s > PRUNING_S:
                        pruned_s = monotonic()
                        prune_messages()
                        # Tries of names that nobody has would be kept for ever.
                        forget_paid()
                except (DatabaseError, InterfaceError) as error:
                    self._trouble("keeping house", error)
                except Exception:
                    log.exception("keeping house broke")
                release_connection()
        finally:
            connections.close_all()

    def _trouble(self, doing: str, error: Exception) -> None:
        """Leave the database alone for a moment."""
        log.warning("database trouble", exc_info=error, extra={"fields": {"while": doing}})
        connections.close_all()
        self._over.wait(AFTER_TROUBLE_S)

    def _end(self) -> None:
        self._over.set()
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join()
        if self._housekeeper.ident is not None:
            self._housekeeper.join()


def keep_house() -> None:
    """Tell what the audit log holds, and release what is held for enabled endpoints."""
    publish_audit_events()
    release_held()
