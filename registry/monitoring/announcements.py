"""Telling others what happened, in the transaction in which it happened.

Whoever delivers messages registers here; what is raised takes the change back.
"""

from collections.abc import Callable
from typing import Any

from authz.models import Project

Announcer = Callable[[Project, str, dict[str, Any]], None]

_announcers: list[Announcer] = []

FIRING = "model.alert.firing"
STILL_FIRING = "model.alert.still_firing"
RESOLVED = "model.alert.resolved"
NO_DATA = "model.alert.no_data"
ERROR = "model.alert.error"
RECOMMENDED = "model.recommendation.created"
EVENT_TYPES = (FIRING, STILL_FIRING, RESOLVED, NO_DATA, ERROR, RECOMMENDED)


def register_announcer(announcer: Announcer) -> None:
    """Let something be told of every announcement: project, event type, data."""
    _announcers.append(announcer)


def announce(project: Project, event_type: str, data: dict[str, Any]) -> None:
    """Tell all who registered."""
    for announcer in _announcers:
        announcer(project, event_type, data)
