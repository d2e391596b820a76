"""Versions: numbering, describing, deactivating."""

from typing import Any

from django.db import connection, transaction

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from authz.configuration.revision import move_revision
from authz.models import Project
from intmod_site.api.errors import Conflict, NotFound
from intmod_site.conflicts import atomic_unless_taken
from intmod_site.database import adapted
from intmod_site.prepared import Prepared, columns_of, insert, instance_of
from registry.catalog.services import create_model, lock_versions, locked_model
from registry.catalog.tag_rows import write_tag_rows
from registry.catalog.tags import merged
from registry.catalog.version_fields import check_version
from registry.models import ModelVersion, RegisteredModel

FIXED_ONCE_READY = {"source", "digest"}

# By hand, or prepared: what every creation and every move of an alias asks.
_COUNT = (
    f"UPDATE {RegisteredModel._meta.db_table} SET last_number = last_number + 1 "  # noqa: S608 -- our own name
    "WHERE id = %s AND deleted_at IS NULL"
)
_COLUMNS = columns_of(ModelVersion)
_NUMBERED = Prepared(
    lambda project, name, number: (
        ModelVersion.objects.existing()
        .order_by()
        .filter(project=project, model__project=project, model__name=name, number=number)
        .values_list(*_COLUMNS, *(f"model__{column}" for column in columns_of(RegisteredModel)))
    ),
)
_TAKEN = Prepared(
    lambda project, identifier: (
        ModelVersion.objects.order_by()
        .filter(project=project, identifier=identifier)
        .values_list("number")
    ),
)


def create_version(
    *, actor: Actor, model: RegisteredModel, model_id: str | None = None, **fields: Any
) -> ModelVersion:
    """Give a model its next version.

    Args:
        actor: Who creates it.
        model: Of which model.
        model_id: The version's name of its own in the project; `<name>-<number>` by default.
        fields: Columns of `ModelVersion`.

    Raises:
        Conflict: The model_id is taken.
        NotFound: The model was deleted meanwhile.
        ValidationFailed, django.core.exceptions.ValidationError: A field is wrong.
    """
    with atomic_unless_taken(f"There is a version with the model_id {model_id} already."):
        # The counter's row is the lock: concurrent creations queue up here and get one number each.
        with connection.cursor() as cursor:
            cursor.execute(_COUNT, [adapted(model.pk)])
        model = locked_model(model)
        number = model.last_number
        version = ModelVersion(project=model.project, model=model, number=number, **fields)
        version.created_by = version.created_by or actor.label[:200]
        version.identifier = model_id or _free_identifier(version)
        if model_id and _is_taken(version, model_id):
            raise Conflict(
                f"There is a version with the model_id {version.identifier}.", code="already_exists"
            )
        check_version(version)
        insert(version)
        write_tag_rows(version, fresh=True)
        move_revision()
        record_change(
            actor=actor,
            action="modelversion.create",
            obj=version,
            project=model.project,
            after=state_of(version),
        )
    return version


def register_model(
    *,
    actor: Actor,
    project: Project,
    model_name: str,
    model_type: str,
    model_id: str | None = None,
    version: str = "",
    **fields: Any,
) -> ModelVersion:
    """Register a version, and its model if there is none yet: the one call of a newcomer.

    Args:
        actor: Who registers it.
        project: Where.
        model_name, model_type: The model; the type counts only when the model is new.
        model_id: The version's name of its own.
        version: The version as people write it; its number is given.
        fields: Further columns of `ModelVersion`.

    Raises:
        As `create_model` and `create_version`.
    """
    with transaction.atomic():
        model = (
            RegisteredModel.objects.in_project(project.pk)
            .existing()
            .filter(name=model_name)
            .first()
        )
        if model is None:
            model = create_model(
                actor=actor, project=project, name=model_name, model_type=model_type
            )
        return create_version(actor=actor, model=model, model_id=model_id, label=version, **fields)


def update_version(*, actor: Actor, version: ModelVersion, changes: dict[str, Any]) -> ModelVersion:
    """Change a version; what it is made of stays once it is ready.

    Raises:
        Conflict: The source or digest of a ready version would change, or a status that is final.
        ValidationFailed, django.core.exceptions.ValidationError: A field is wrong.
    """
    with transaction.atomic():
        current = _locked(version)
        before = state_of(current)
        for name, value in changes.items():
            if value != getattr(current, name):
                _check_may_change(ModelVersion.Status(before["status"]), name)
            setattr(current, name, value)
        check_version(current)
        current.save()
        if "tags" in changes:
            write_tag_rows(current)
        move_revision()
        record_change(
            actor=actor,
            action="modelversion.update",
            obj=current,
            project=current.project,
            before=before,
            after=state_of(current),
        )
    return current


def change_tags(
    *, actor: Actor, version: ModelVersion, tags: dict[str, str | None]
) -> ModelVersion:
    """Set some tags of a version and leave the rest; None removes one.

    Raises:
        ValidationFailed: A tag is odd.
    """
    with transaction.atomic():
        current = _locked(version)
        changes = {"tags": merged(current.tags, tags)}
        return update_version(actor=actor, version=current, changes=changes)


def deactivate_version(*, actor: Actor, version: ModelVersion) -> ModelVersion:
    """Let a version answer no more calls, from the next one on."""
    return update_version(actor=actor, version=version, changes={"is_active": False})


def delete_version(*, actor: Actor, version: ModelVersion) -> None:
    """Delete a version; its number is never given again.

    Raises:
        NotFound: It was deleted meanwhile.
        Conflict: An alias points at it.
    """
    with transaction.atomic():
        # The model's row is the lock of its aliases: none comes to point here meanwhile.
        locked_model(version.model)
        current = (
            ModelVersion.objects.filter(pk=version.pk).select_related("model", "project").first()
        )
        if current is None:
            raise NotFound(f"There is no version {version}.", code="version_not_found")
        names = ", ".join(current.aliases.values_list("name", flat=True))
        if names:
            raise Conflict(f"Aliases point at {current}: {names}.", code="version_in_use")
        before = state_of(current)
        lock_versions(ModelVersion.objects.filter(pk=current.pk))
        current.delete()
        move_revision()
        record_change(
            actor=actor,
            action="modelversion.delete",
            obj=version,
            project=current.project,
            before=before,
        )


def version_numbered(*, project: Project, model_name: str, number: int) -> ModelVersion:
    """Give a version by its model's name and its number.

    Raises:
        NotFound: There is none in this project.
    """
    row = _NUMBERED.first(project=project.pk, name=model_name, number=number)
    if row is None:
        raise no_such_version(model_name, number)
    width = len(_COLUMNS)
    version = instance_of(ModelVersion, row[:width])
    version.model = instance_of(RegisteredModel, row[width:])
    version.project = version.model.project = project
    return version


def no_such_version(model_name: str, number: int) -> NotFound:
    """Say that a version is not there."""
    return NotFound(
        f"There is no version {number} of a model called {model_name}.", code="version_not_found"
    )


def _check_may_change(status: ModelVersion.Status, name: str) -> None:
    if status != ModelVersion.Status.PENDING and name in {*FIXED_ONCE_READY, "status"}:
        what = "ready" if status == ModelVersion.Status.READY else "failed"
        raise Conflict(f"The {name} of a {what} version does not change; create a new version.")


def _free_identifier(version: ModelVersion) -> str:
    """Give `<name>-<number>`, or, where another model's version is called that, one beside it."""
    plain = f"{version.model.name.replace(' ', '-')[:180]}-{version.number}"
    return f"{plain}-{version.pk.hex[-8:]}" if _is_taken(version, plain) else plain


def _is_taken(version: ModelVersion, identifier: str) -> bool:
    return bool(_TAKEN.rows(project=version.project_id, identifier=identifier))


def _locked(version: ModelVersion) -> ModelVersion:
    return (
        ModelVersion.objects.select_for_update(of=("self",), no_key=True)
        .select_related("model", "project")
        .get(pk=version.pk)
    )
