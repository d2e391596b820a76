"""Who is handed events: functions of higher floors and of extensions, registered by name."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from intmod_site.api.errors import ValidationFailed

MOST_RECEIVERS = 20
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class InboundEvent:
    """An event as receivers get it.

    Args:
        id: Of the row; the same each time that it is handed on.
        project_id: Whose it is.
        source: The source's name.
        event_id, event_type: What the sender calls it; the type may be empty.
        received_at: When it came.
        payload: Its body, a JSON value.
    """

    id: UUID
    project_id: UUID
    source: str
    event_id: str
    event_type: str
    received_at: datetime
    payload: Any = field(repr=False)


Receiver = Callable[[InboundEvent], object]

_receivers: dict[str, Receiver] = {}


def register_receiver(name: str, receiver: Receiver) -> None:
    """Let sources hand their events to a function; apps and extensions call it when ready.

    It runs in a worker, in the transaction that notes it as done: what it writes to this database
    is written once. What it does elsewhere may be done twice, so it goes by `InboundEvent.id`. It
    is tried again later when it raises, and should be short: what takes long is a job of its own.

    Args:
        name: Lower-case letters, digits, and inner `.`, `_`, `-`.
        receiver: Called with the event.

    Raises:
        ValueError: The name is odd, or taken by another function.
    """
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a receiver.")
    if _receivers.get(name, receiver) is not receiver:
        raise ValueError(f"There is a receiver called {name} already.")
    _receivers[name] = receiver


def receiver_named(name: str) -> Receiver | None:
    """Give a receiver, if this process knows it."""
    return _receivers.get(name)


def receiver_names() -> list[str]:
    """Give the names of all receivers."""
    return sorted(_receivers)


def check_receivers(names: Any) -> None:
    """Refuse what is not a list of receivers that there are.

    Raises:
        ValidationFailed: Naming the entry.
    """
    if not isinstance(names, list) or len(names) > MOST_RECEIVERS:
        raise ValidationFailed.of("receivers", f"A list of at most {MOST_RECEIVERS} receivers.")
    for index, name in enumerate(names):
        if not isinstance(name, str) or name not in _receivers:
            known = ", ".join(receiver_names()) or "none"
            raise ValidationFailed.of(f"/receivers/{index}", f"Registered are: {known}.")
        if name in names[:index]:
            raise ValidationFailed.of(f"/receivers/{index}", "It is named before.")
