"""Connections kept open between calls, per origin and judged addresses.

urllib3's own pool is left out: its queue's lock may be held by another thread while the process
forks, and the child would hang on it. A list under a lock of our own does the same work.
"""

import os
import ssl
import threading
import weakref
from time import monotonic

from integrations.http.connections import PinnedHTTPConnection, PinnedHTTPSConnection
from integrations.http.countdown import Countdown
from integrations.http.guard import Origin, PinnedOrigin, pin
from integrations.http.policy import EgressPolicy
from integrations.http.resolver import Resolver

Connection = PinnedHTTPConnection | PinnedHTTPSConnection


class OriginPool:
    """The idle connections to one origin at the addresses that were judged for it.

    Args:
        pinned: Where its connections go.
        tls: What they trust; None for plain ones.
        size: Idle connections kept at most. More may be in use at once.
        max_idle_s: A connection idle for longer is not used again: whatever stands in between
            may have forgotten it without a word.
    """

    def __init__(
        self, pinned: PinnedOrigin, tls: ssl.SSLContext | None, *, size: int, max_idle_s: float
    ) -> None:
        self.pinned = pinned
        self.fresh_until = 0.0
        self.last_used = 0.0
        self._tls = tls
        self._size = size
        self._max_idle_s = max_idle_s
        self._lock = threading.Lock()
        self._idle: list[Connection] = []
        self._closed = False

    def take(self) -> Connection:
        """Give the connection used last that is still good, else one that has yet to connect."""
        oldest = monotonic() - self._max_idle_s
        while True:
            with self._lock:
                if not self._idle:
                    break
                connection = self._idle.pop()
            if connection.idle_since >= oldest and connection.is_connected:
                return connection
            connection.close()
        if self._tls is None:
            return PinnedHTTPConnection(self.pinned)
        return PinnedHTTPSConnection(self.pinned, ssl_context=self._tls)

    def give_back(self, connection: Connection) -> None:
        """Keep a connection whose answer was read to its end, in the place of one idle too long."""
        connection.idle_since = now = monotonic()
        surplus: Connection | None = connection
        with self._lock:
            if not self._closed and len(self._idle) < self._size:
                self._idle.append(connection)
                # The one used last is taken first: the first of the list has waited longest.
                stale = self._idle[0].idle_since < now - self._max_idle_s
                surplus = self._idle.pop(0) if stale else None
        if surplus is not None:
            surplus.close()

    def close(self) -> None:
        """Close the idle connections now, and those in use when they come back."""
        with self._lock:
            self._closed = True
        self.abandon()

    def abandon(self) -> None:
        """Close the idle connections without asking for the lock, which a fork may have left held.

        In a forked child this closes the child's descriptors only.
        """
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()


class Pools:
    """All pools of a process; safe to share between threads, made afresh in a forked child.

    Args:
        resolver: Asks the name service.
        pool_size: Idle connections kept per origin.
        max_origins: Pools kept; the one used least recently goes first.
        dns_ttl_s: How long the judged addresses of a name are used before it is looked up again.
        max_idle_s: How long an idle connection is kept.
    """

    def __init__(
        self,
        resolver: Resolver | None = None,
        *,
        pool_size: int = 256,
        max_origins: int = 256,
        dns_ttl_s: float = 30.0,
        max_idle_s: float = 60.0,
    ) -> None:
        self._resolver = resolver or Resolver()
        self._pool_size = pool_size
        self._max_origins = max_origins
        self._dns_ttl_s = dns_ttl_s
        self._max_idle_s = max_idle_s
        self._lock = threading.Lock()
        self._pools: dict[tuple[Origin, EgressPolicy], OriginPool] = {}
        self._trust: ssl.SSLContext | None = None
        _all_pools.add(self)

    def pool_for(self, origin: Origin, policy: EgressPolicy, countdown: Countdown) -> OriginPool:
        """Give the origin's pool, having looked its name up again if the last time is long ago.

        Raises:
            OutboundError: What `guard.pin` raises.
        """
        key = (origin, policy)
        now = monotonic()
        pool = self._pools.get(key)
        if pool is None or now >= pool.fresh_until:
            pinned = pin(origin, policy, resolver=self._resolver, timeout_s=countdown.left_s())
            pool = self._replace(key, pinned)
            pool.fresh_until = float("inf") if origin.is_literal else now + self._dns_ttl_s
        pool.last_used = now
        return pool

    def close(self) -> None:
        """Close all idle connections."""
        with self._lock:
            pools, self._pools = self._pools, {}
        for pool in pools.values():
            pool.close()

    def forget(self) -> None:
        """In a forked child: drop what belongs to the parent. No other thread runs there yet."""
        pools, self._pools = self._pools, {}
        self._lock = threading.Lock()
        self._resolver.forget()
        for pool in pools.values():
            pool.abandon()

    def _replace(self, key: tuple[Origin, EgressPolicy], pinned: PinnedOrigin) -> OriginPool:
        """Keep the pool if its addresses are still the same, in whatever order."""
        gone: list[OriginPool] = []
        with self._lock:
            pool = self._pools.get(key)
            if pool is None or set(pool.pinned.addresses) != set(pinned.addresses):
                if pool is not None:
                    gone.append(pool)
                pool = self._make(key[1], pinned)
                self._pools[key] = pool
                if len(self._pools) > self._max_origins:
                    others = (k for k in self._pools if k != key)
                    gone.append(self._pools.pop(min(others, key=self._last_used)))
        for old in gone:
            old.close()
        return pool

    def _last_used(self, key: tuple[Origin, EgressPolicy]) -> float:
        return self._pools[key].last_used

    def _make(self, policy: EgressPolicy, pinned: PinnedOrigin) -> OriginPool:
        tls = None
        if pinned.origin.scheme == "https":
            tls = policy.tls or self._system_trust()
        return OriginPool(pinned, tls, size=self._pool_size, max_idle_s=self._max_idle_s)

    def _system_trust(self) -> ssl.SSLContext:
        # Reading the trust store takes milliseconds; one context serves all connections.
        if self._trust is None:
            self._trust = ssl.create_default_context()
        return self._trust


_all_pools: weakref.WeakSet[Pools] = weakref.WeakSet()


def _forget_all() -> None:
    for pools in list(_all_pools):
        pools.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
