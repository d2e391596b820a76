"""The catalogue of event types: what there is to be told, and what its data looks like."""

from functools import lru_cache
from itertools import islice
from typing import Any

import jsonschema_rs
import orjson
from django.db import transaction

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from authz.models import Project
from authz.policies.json_schema import compiled, problems
from authz.policies.pointers import pointer_of
from authz.policies.schema_limits import check_schema
from integrations.models import EventType
from integrations.webhooks import names
from intmod_site.api.errors import Conflict, FieldError, ValidationFailed
from intmod_site.conflicts import atomic_unless_taken

MAX_PROBLEMS = 20
MAX_SCHEMA_BYTES = 64 * 1024


def create_event_type(*, actor: Actor, project: Project, **fields: Any) -> EventType:
    """Put a type into the project's catalogue.

    Args:
        actor: Who.
        project: Where.
        fields: Columns of `EventType`.

    Raises:
        Conflict: The name is taken.
        ValidationFailed, django.core.exceptions.ValidationError: A field is wrong.
    """
    event_type = EventType(project=project, **fields)
    _check(event_type)
    with atomic_unless_taken(f"There is an event type called {event_type.name} already."):
        event_type.save(force_insert=True)
        record_change(
            actor=actor,
            action="eventtype.create",
            obj=event_type,
            project=project,
            after=state_of(event_type),
        )
    return event_type


def update_event_type(*, actor: Actor, event_type: EventType, changes: dict[str, Any]) -> EventType:
    """Change a type of the project; its name stays.

    Raises:
        Conflict: It is built in.
        ValidationFailed, django.core.exceptions.ValidationError: A field is wrong.
    """
    _check_own(event_type)
    with transaction.atomic():
        current = EventType.objects.select_for_update(of=("self",), no_key=True).get(
            pk=event_type.pk
        )
        before = state_of(current)
        for name, value in changes.items():
            setattr(current, name, value)
        _check(current)
        current.save()
        record_change(
            actor=actor,
            action="eventtype.update",
            obj=current,
            project=current.project,
            before=before,
            after=state_of(current),
        )
    return current


def remove_event_type(*, actor: Actor, event_type: EventType) -> None:
    """Remove a type of the project; what was published stays.

    Raises:
        Conflict: It is built in.
    """
    _check_own(event_type)
    label = EventType(pk=event_type.pk, name=event_type.name)
    with transaction.atomic():
        before, project = state_of(event_type), event_type.project
        EventType.objects.filter(pk=event_type.pk).delete()
        record_change(
            actor=actor, action="eventtype.delete", obj=label, project=project, before=before
        )


def check_data(project: Project, event_type: str, data: Any) -> None:
    """Refuse data that is not as the catalogue says; a type that is not in it has free data.

    Raises:
        ValidationFailed: Naming each place, or the type where it is archived.
    """
    if not isinstance(data, dict):
        raise ValidationFailed.of("data", "An object.")
    row = EventType.objects.known_in(project.pk).filter(name=event_type).first()
    if row is None:
        return
    if row.is_archived:
        raise ValidationFailed.of("event_type", f"{event_type} is archived.")
    if row.schema is None:
        return
    found = problems(_validator(orjson.dumps(row.schema)), data)
    fields = tuple(
        FieldError("/data" + pointer_of(place), "schema", message)
        for place, _, message in islice(found, MAX_PROBLEMS)
    )
    if fields:
        raise ValidationFailed(f"{fields[0].path[1:]}: {fields[0].message}", fields=fields)


@lru_cache(maxsize=256)
def _validator(schema: bytes) -> jsonschema_rs.Draft202012Validator:
    return compiled(orjson.loads(schema), at="/schema")


def _check_own(event_type: EventType) -> None:
    if event_type.project_id is None:
        raise Conflict(f"{event_type.name} is built in.", code="built_in")


def _check(event_type: EventType) -> None:
    names.check_name(event_type.name, field="name")
    names.check_free(event_type.name, field="name")
    if event_type.schema is not None:
        check_schema(event_type.schema, at="/schema")
        if len(orjson.dumps(event_type.schema)) > MAX_SCHEMA_BYTES:
            raise ValidationFailed.of("schema", f"At most {MAX_SCHEMA_BYTES} bytes.")
        compiled(event_type.schema, at="/schema")
    event_type.full_clean(exclude=["project"])
