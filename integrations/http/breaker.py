"""A circuit breaker: stops calling what keeps failing, and asks again with one call at a time.

CLOSED lets calls pass and counts how they end. When too many of the last ones failed it is OPEN
and refuses calls for a while. Then it is HALF_OPEN: one call, the probe, may pass; if it succeeds
the breaker closes, if it fails the wait begins anew.

Only what is the other side's fault is a failure; a caller's own mistake says that it is well.
"""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic

SLICES = 60
"""A window is counted in so many slices: what it takes to count does not grow with the calls."""


class State(StrEnum):
    """Whether calls may pass."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a breaker opens and for how long.

    Args:
        window_s: How far back ended calls are counted, to a sixtieth of it.
        min_calls: Fewer calls than this in the window never open it.
        failure_rate: It opens when at least this part of them failed.
        open_s: Seconds until the first probe.
        probe_timeout_s: Seconds after which a probe that never ended makes way for the next.
    """

    window_s: float = 60.0
    min_calls: int = 5
    failure_rate: float = 0.5
    open_s: float = 30.0
    probe_timeout_s: float = 120.0


class Breaker:
    """The breaker of one destination, shared by the threads of a process.

    Args:
        policy: When it opens.
        clock: Seconds that only ever grow.
    """

    def __init__(
        self, policy: BreakerPolicy | None = None, *, clock: Callable[[], float] = monotonic
    ) -> None:
        self._policy = policy or BreakerPolicy()
        self._clock = clock
        self._lock = threading.Lock()
        self._slice_s = self._policy.window_s / SLICES
        self._slices: deque[_Slice] = deque()
        self._calls = 0
        self._failures = 0
        self._opened_at: float | None = None
        self._probe_began_at: float | None = None

    @property
    def state(self) -> State:
        """Whether calls may pass now."""
        with self._lock:
            return self._state()

    def admit(self) -> float | None:
        """Ask for a call to pass.

        Returns:
            None if it may; else the seconds after which asking again makes sense. Who was let
            pass says how it ended by `succeeded`, `failed` or `abandoned`.
        """
        # Reading one attribute is atomic: the ordinary case needs no lock.
        if self._opened_at is None:
            return None
        with self._lock:
            state = self._state()
            if state is State.CLOSED:
                return None
            now = self._clock()
            if state is State.OPEN:
                return max((self._opened_at or now) + self._policy.open_s - now, 0.001)
            began_at = self._probe_began_at
            if began_at is not None and now - began_at < self._policy.probe_timeout_s:
                return 1.0
            self._probe_began_at = now
            return None

    def succeeded(self) -> None:
        """Say that a call ended well; a probe closes the breaker."""
        with self._lock:
            state = self._state()
            if state is State.HALF_OPEN:
                self._close()
            # A call from before it opened tells nothing new while it is open.
            if state is not State.OPEN:
                self._note(failed=False)

    def failed(self, *, after_success: bool = False) -> None:
        """Say that a call failed by the other side's fault.

        Args:
            after_success: It had been told to succeed: its answer began well, and then broke off.
        """
        with self._lock:
            state = self._state()
            if state is State.HALF_OPEN:
                self._open()
            if state is not State.CLOSED:
                return
            self._note(failed=True, calls=0 if after_success else 1)
            too_many = self._failures >= self._policy.failure_rate * self._calls
            if self._calls >= self._policy.min_calls and too_many:
                self._open()

    def abandoned(self) -> None:
        """Say that a call ended without telling anything; another probe may begin."""
        with self._lock:
            self._probe_began_at = None

    def _state(self) -> State:
        if self._opened_at is None:
            return State.CLOSED
        waited = self._clock() - self._opened_at >= self._policy.open_s
        return State.HALF_OPEN if waited else State.OPEN

    def _open(self) -> None:
        self._opened_at = self._clock()
        self._probe_began_at = None
        self._slices.clear()
        self._calls = self._failures = 0

    def _close(self) -> None:
        self._opened_at = None
        self._probe_began_at = None

    def _note(self, *, failed: bool, calls: int = 1) -> None:
        now = self._clock()
        slices = self._slices
        if not slices or now - slices[-1].began_at >= self._slice_s:
            slices.append(_Slice(now))
        slices[-1].calls += calls
        slices[-1].failures += failed
        self._calls += calls
        self._failures += failed
        while slices[0].began_at <= now - self._policy.window_s:
            gone = slices.popleft()
            self._calls -= gone.calls
            self._failures -= gone.failures


class _Slice:
    """Calls that ended within a moment of each other."""

    __slots__ = ("began_at", "calls", "failures")

    def __init__(self, began_at: float) -> None:
        self.began_at = began_at
        self.calls = 0
        self.failures = 0
