"""What a process remembers of the configuration, until the revision moves.

A value is loaded when it is first asked for and dropped with its revision. The revision is read
before the value, so a remembered value may be newer than its revision and is never older.
"""

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

Value = TypeVar("Value")

MAX_ENTRIES = 50_000
"""Entries kept at most, found and not found alike: a caller cannot fill the memory with names."""


class Snapshot:
    """The configuration at one revision, as far as it has been asked for."""

    __slots__ = ("_entries", "revision")

    def __init__(self, revision: int) -> None:
        self.revision = revision
        self._entries: dict[Hashable, Any] = {}

    def get(self, key: Hashable, load: Callable[[], Value]) -> Value:
        """Give the value under `key`, loading it once; None is remembered like any other."""
        try:
            return self._entries[key]
        except KeyError:
            pass
        value = load()
        if len(self._entries) >= MAX_ENTRIES:
            self._entries.clear()
        self._entries[key] = value
        return value


_current = Snapshot(-1)


def snapshot_at(revision: int) -> Snapshot:
    """Give this process's snapshot of a revision that was just read from the database.

    Any other number than the remembered one begins anew, a smaller one too: a slow thread costs a
    few queries then, and a database restored from a backup is not answered from memory.
    """
    global _current  # noqa: PLW0603
    snapshot = _current
    if snapshot.revision != revision:
        _current = snapshot = Snapshot(revision)
    return snapshot


def forget() -> None:
    """Drop everything remembered: after the database was exchanged under the process."""
    global _current  # noqa: PLW0603
    _current = Snapshot(-1)
