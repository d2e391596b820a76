"""Writing audit events. A change and its event share one transaction: both happen or neither."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from ipaddress import ip_address
from typing import Any

import orjson
from django.db import connection, models, transaction
from django.utils import timezone

from authz.audit.actor import Actor
from authz.audit.codes import keyed_hash
from authz.models.audit import AuditEvent
from authz.models.projects import Project
from authz.secrets.fields import EncryptedTextField
from authz.secrets.keyring import fingerprint
from intmod_site.database import adapted
from intmod_site.request_context import current_request_id

HASHED_FIELDS = {"password", "secret_hash", "previous_secret_hash", "email", "full_name"}
"""Fields that show only whether they changed: secrets, and what erasure may be asked for."""

State = dict[str, Any]


def record_change(
    *,
    actor: Actor,
    action: str,
    obj: models.Model,
    project: Project | None,
    before: State | None = None,
    after: State | None = None,
) -> None:
    """Record a change inside the transaction that makes it.

    Args:
        actor: Who made it.
        action: What was done, `<object type>.<verb>`, such as `modelversion.create`.
        obj: What it was done to.
        project: The project it happened in; None for what belongs to the whole installation.
        before, after: `state_of` the object; only what differs is kept.

    Raises:
        TransactionManagementError: Outside a transaction, where the change would stand alone.
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError(
            "An audit event belongs into the change's transaction."
        )
    _write(
        actor=actor,
        action=action,
        outcome=AuditEvent.Outcome.SUCCESS,
        project=project,
        object_type=obj._meta.model_name or "",
        object_id=str(obj.pk),
        object_label=str(obj)[:200],
        changes=difference(before or {}, after or {}),
    )


def record_denial(*, actor: Actor, action: str, project: Project | None, reason: str) -> None:
    """Record that something was refused; called after the refused request has rolled back."""
    _write(
        actor=actor,
        action=action,
        outcome=AuditEvent.Outcome.DENIED,
        project=project,
        changes={"reason": reason},
    )


def record_event(
    *,
    actor: Actor,
    action: str,
    outcome: AuditEvent.Outcome,
    project: Project | None,
    changes: dict[str, Any],
    object_type: str = "",
    object_id: str = "",
    object_label: str = "",
) -> None:
    """Record something that happened and changed no row of ours.

    Args:
        actor, action, outcome, project, changes: As `Happened`.
        object_type, object_id, object_label: Likewise.
    """
    _write(
        actor=actor,
        action=action,
        outcome=outcome,
        project=project,
        object_type=object_type,
        object_id=object_id,
        object_label=object_label[:200],
        changes=changes,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Happened:
    """Something that happened on a request that may be another thread's.

    Args:
        actor: Who did it.
        action: What was done, `<object type>.<verb>`.
        outcome: How it ended.
        project: Where; None for the whole installation.
        changes: What there is to tell; nothing secret.
        object_type, object_id, object_label: What it was done to.
        request_id: On which request; empty for none.
    """

    actor: Actor
    action: str
    outcome: AuditEvent.Outcome
    project: Project | None
    changes: dict[str, Any]
    object_type: str
    object_id: str
    object_label: str
    request_id: str


def record_events(events: Iterable[Happened]) -> None:
    """Record what happened on several requests that share a transaction, in order."""
    rows = [
        _row(
            actor=event.actor,
            action=event.action,
            outcome=event.outcome,
            project=event.project,
            object_type=event.object_type,
            object_id=event.object_id,
            object_label=event.object_label[:200],
            changes=event.changes,
            request_id=event.request_id,
        )
        for event in events
    ]
    if rows:
        _insert(rows)


def state_of(obj: models.Model) -> State:
    """Give the object's columns as JSON values; secrets and personal data as keyed hashes."""
    return {
        field.name: _shown(obj, field)
        for field in obj._meta.concrete_fields
        if not field.primary_key
    }


def difference(before: State, after: State) -> dict[str, list[Any]]:
    """Give `{field: [before, after]}` for the fields that differ."""
    return {
        name: [before.get(name), after.get(name)]
        for name in sorted({*before, *after})
        if before.get(name) != after.get(name)
    }


def _shown(obj: models.Model, field: Any) -> Any:
    value = getattr(obj, field.attname)
    if value in (None, ""):
        return value
    if isinstance(field, EncryptedTextField):
        return f"secret:{value.shown()[1]}"
    if field.name in HASHED_FIELDS:
        return f"hash:{fingerprint(str(value))}"
    if isinstance(value, bool | int | float | dict | list):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _write(
    *, actor: Actor, project: Project | None, changes: dict[str, Any], **fields: Any
) -> None:
    _insert([_row(actor=actor, project=project, changes=changes, **fields)])


def _row(
    *, actor: Actor, project: Project | None, changes: dict[str, Any], **fields: Any
) -> list[Any]:
    values = {
        "occurred_at": timezone.now(),
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "actor_label": actor.label[:200],
        "credential": actor.credential,
        "address": actor.address,
        "project_id": project.pk if project else None,
        "project_label": project.slug if project else "",
        "object_type": "",
        "object_id": "",
        "object_label": "",
        "changes": changes,
        "request_id": current_request_id() or "",
        **fields,
    }
    stored = values | {
        "mac": mac_of(values),
        "occurred_at": adapted(values["occurred_at"]),
        "project_id": adapted(values["project_id"]),
        "changes": _stored_json(values["changes"]),
    }
    return [stored[name] for name in _STORED]


def _insert(rows: list[list[Any]]) -> None:
    """Insert by hand: building the statement by the ORM takes longer than everything else here."""
    with connection.cursor() as cursor:
        if len(rows) == 1:
            cursor.execute(_INSERT, rows[0])
        else:
            cursor.executemany(_INSERT, rows)


def _stored_json(changes: dict[str, Any]) -> str:
    try:
        return orjson.dumps(changes).decode()
    except TypeError:  # an integer beyond 64 bits, or a name that is none
        return json.dumps(changes)


MACED = tuple(
    field.attname
    for field in AuditEvent._meta.concrete_fields
    if field.attname not in {"id", "mac"}
)
"""Columns that an event's code covers; its id comes only later, and is bound by its seal."""

_STORED = (*MACED, "mac")
_INSERT = (
    f"INSERT INTO {AuditEvent._meta.db_table} ({', '.join(_STORED)}) "  # noqa: S608 -- our own names
    f"VALUES ({', '.join(['%s'] * len(_STORED))})"
)


def event_mac(event: AuditEvent) -> str:
    """Give the HMAC-SHA256, hex, of the event's canonical form."""
    return mac_of({name: getattr(event, name) for name in MACED})


def mac_of(values: dict[str, Any]) -> str:
    """Give the code of an event's columns (`MACED`); moments and ids may be text already."""
    moment, project, address = values["occurred_at"], values["project_id"], values["address"]
    return code_of(
        values
        | {
            "occurred_at": moment if isinstance(moment, str) else moment.isoformat(),
            "project_id": str(project) if project else None,
            "address": packed(address) if address else None,
            "changes": _canonical(values["changes"]),
        }
    )


def code_of(content: dict[str, Any]) -> str:
    """Give the code of columns in their canonical form.

    Args:
        content: Of `MACED`: moments in ISO 8601, ids as text, addresses `packed`, whole numbers
            as integers (`whole`).
    """
    try:
        canonical = orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # an integer beyond 64 bits
        canonical = json.dumps(
            content, sort_keys=True, separators=(",", ":"), ensure_ascii=False
        ).encode()
    return keyed_hash(canonical)


@lru_cache(maxsize=4096)
def packed(address: str) -> str:
    """Give an address's bytes, hex: one that is written in several ways is one address."""
    return ip_address(address).packed.hex()


_PLAIN = frozenset({str, int, bool, type(None)})
"""Types that are written as they are."""


def _canonical(value: Any) -> Any:
    """Write whole floats as integers: PostgreSQL's jsonb gives 1e16 back as one, and -0.0 as 0."""
    if isinstance(value, dict):
        return {
            str(name): inner if type(inner) in _PLAIN else _canonical(inner)
            for name, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [inner if type(inner) in _PLAIN else _canonical(inner) for inner in value]
    return whole(value) if isinstance(value, float) else value


def whole(value: float) -> float | int:
    """Give a whole float as an integer, and any other as it is."""
    if value.is_integer():
        # By its digits, as the database reads them: int(1e23) would be 99999999999999991611392.
        return int(Decimal(repr(value)))
    return value
