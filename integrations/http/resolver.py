"""Looking up host names with a time limit, which the system's own call does not have."""

import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future

from integrations.http.errors import Deadline, DeadlineExceeded, ResolutionFailed

Lookup = Callable[[str, int], tuple[str, ...]]

_MOST_AT_ONCE = 32


def system_lookup(host: str, port: int) -> tuple[str, ...]:
    """Ask the system for the addresses of a host, best first (RFC 6724).

    Raises:
        OSError: There are none, or the name service does not answer.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return tuple(str(sockaddr[0]) for *_, sockaddr in found)


class Resolver:
    """Asks the name service in the background; safe to share between threads.

    A lookup cannot be cut short, only left behind. So it runs in a thread of its own, callers
    that want the same name share it, and the number of those under way is bounded: a dead name
    service cannot eat the process's threads.

    Args:
        ask: Does the work; tests put their own answers here.
        most_at_once: Lookups under way before further names are refused.
    """

    def __init__(self, ask: Lookup = system_lookup, *, most_at_once: int = _MOST_AT_ONCE) -> None:
        self._ask = ask
        self._most_at_once = most_at_once
        self.forget()

    def forget(self) -> None:
        """Start afresh. A forked child calls this: its parent's threads are not there."""
        self._lock = threading.Lock()
        self._under_way: dict[tuple[str, int], Future[tuple[str, ...]]] = {}

    def lookup(self, host: str, port: int, *, timeout_s: float) -> tuple[str, ...]:
        """Give the addresses of a host, at least one.

        Raises:
            ResolutionFailed: There are none, or too many lookups are waiting already.
            DeadlineExceeded: The answer did not come in time (`connect_timeout`).
        """
        try:
            answers = self._join(host, port).result(timeout_s)
        except TimeoutError:
            raise DeadlineExceeded(Deadline.CONNECT) from None
        except (OSError, UnicodeError) as error:
            unknown = getattr(error, "errno", None) == socket.EAI_NONAME
            raise ResolutionFailed(
                f"The name {host} could not be looked up.", retryable=not unknown
            ) from error
        if not answers:
            raise ResolutionFailed(f"The name {host} has no address.", retryable=False)
        return answers

    def _join(self, host: str, port: int) -> Future[tuple[str, ...]]:
        key = (host, port)
        with self._lock:
            if key in self._under_way:
                return self._under_way[key]
            if len(self._under_way) >= self._most_at_once:
                raise ResolutionFailed("Too many names are being looked up already.")
            future: Future[tuple[str, ...]] = Future()
            self._under_way[key] = future
        try:
            # A daemon, so that a lookup that hangs does not keep the process from ending.
            threading.Thread(target=self._run, args=(key, future), daemon=True).start()
        except RuntimeError:
            self._end(key)
            future.set_exception(OSError("no thread could be started"))
        return future

    def _run(self, key: tuple[str, int], future: Future[tuple[str, ...]]) -> None:
        try:
            answers = self._ask(*key)
        except Exception as error:  # noqa: BLE001 - whoever waits for the answer has to hear of it
            self._end(key)
            future.set_exception(error)
        else:
            self._end(key)
            future.set_result(answers)

    def _end(self, key: tuple[str, int]) -> None:
        with self._lock:
            self._under_way.pop(key, None)
