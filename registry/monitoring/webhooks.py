"""Announcements as webhook messages: told if and only if what they tell of is committed."""

from typing import Any

from authz.models import Project
from integrations.webhooks.built_in import BuiltIn
from integrations.webhooks.services import publish
from registry.monitoring import announcements


def publish_announcement(project: Project, event_type: str, data: dict[str, Any]) -> None:
    """Publish an announcement in the transaction that it is made in."""
    publish(event_type, data, project=project)


_TEXT, _NUMBER = {"type": "string"}, {"type": ["number", "null"]}
_ALERT: dict[str, Any] = {
    "type": "object",
    "required": ["alert_id", "threshold_id", "target", "metric", "severity", "state", "message"],
    "properties": {
        "alert_id": {"type": "string", "format": "uuid"},
        "threshold_id": {"type": "string", "format": "uuid"},
        "target": _TEXT,
        "metric": _TEXT,
        "severity": _TEXT,
        "state": _TEXT,
        "value": _NUMBER,
        "limit": _NUMBER,
        "message": _TEXT,
        "started_at": {"type": "string", "format": "date-time"},
    },
}
_RECOMMENDATION: dict[str, Any] = {
    "type": "object",
    "required": ["recommendation_id", "model_id", "text"],
    "properties": {
        "recommendation_id": {"type": "string", "format": "uuid"},
        "model_id": _TEXT,
        "text": _TEXT,
        "evidence": {"type": "object"},
    },
}
_TOLD = {
    announcements.FIRING: "A threshold is violated.",
    announcements.STILL_FIRING: "It still is.",
    announcements.RESOLVED: "It is not any more.",
    announcements.NO_DATA: "There are no values to compare.",
    announcements.ERROR: "The threshold could not be evaluated.",
}
EVENT_TYPES = (
    *(BuiltIn(name, text, _ALERT) for name, text in _TOLD.items()),
    BuiltIn(announcements.RECOMMENDED, "A rule recommends something.", _RECOMMENDATION),
)
