"""Event types that the product itself tells; they stand in every project's catalogue."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from integrations.models import EventType
from integrations.webhooks.standing import DISABLED


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A type of the product's own.

    Args:
        name: What it is called; `audit.*` stands for many.
        description: When it is told.
        schema: JSON Schema of its data.
    """

    name: str
    description: str
    schema: dict[str, Any] = field(default_factory=dict)


_known: dict[str, BuiltIn] = {}


def register_event_types(event_types: Iterable[BuiltIn]) -> None:
    """Let the product tell these types; apps call it when they are ready."""
    _known.update({event_type.name: event_type for event_type in event_types})


def write_built_in(**_: Any) -> None:
    """Bring the catalogue's built-in rows in line; runs after migrations."""
    rows = {row.name: row for row in EventType.objects.filter(project=None)}
    for name, wanted in _known.items():
        row = rows.pop(name, None) or EventType(name=name)
        told = (wanted.description, wanted.schema or None)
        if row._state.adding or (row.description, row.schema) != told:
            row.description, row.schema = told
            row.save()
    EventType.objects.filter(pk__in=[row.pk for row in rows.values()]).delete()


_TEXT, _MOMENT = {"type": "string"}, {"type": "string", "format": "date-time"}

register_event_types(
    [
        BuiltIn(
            "audit.*",
            "Every event of the audit log, as audit.<action>; audit.request.denied for refusals.",
            {
                "type": "object",
                "required": ["event_id", "occurred_at", "action", "outcome", "actor_label"],
                "properties": {
                    "event_id": {"type": "integer"},
                    "occurred_at": _MOMENT,
                    "action": _TEXT,
                    "outcome": {"enum": ["success", "denied", "failed"]},
                    "actor_label": _TEXT,
                },
            },
        ),
        BuiltIn(
            DISABLED,
            "A webhook endpoint was disabled, by hand or for its failures.",
            {
                "type": "object",
                "required": ["endpoint_id", "url", "reason"],
                "properties": {
                    "endpoint_id": {"type": "string", "format": "uuid"},
                    "url": _TEXT,
                    "reason": {"enum": ["manual", "gone", "failing_days", "failing_attempts"]},
                    "consecutive_failures": {"type": "integer", "minimum": 0},
                    "failing_since": {"anyOf": [_MOMENT, {"type": "null"}]},
                },
            },
        ),
    ]
)
