"""Models: creating, describing, deleting."""

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from authz.configuration.revision import move_revision
from authz.models import Project
from authz.policies.services import detach_all
from intmod_site.api.errors import Conflict, NotFound
from intmod_site.conflicts import atomic_unless_taken
from intmod_site.prepared import Prepared, columns_of, insert, instance_of
from registry.catalog.alias_history import record_alias_change
from registry.catalog.policies import MODEL_VERSION
from registry.catalog.tag_rows import write_tag_rows
from registry.catalog.tags import check_tags, merged
from registry.models import ModelAlias, ModelTag, ModelVersion, RegisteredModel, TaskDefault

_COLUMNS = columns_of(RegisteredModel)
_BY_NAME = Prepared(
    lambda project, name: (
        RegisteredModel.objects.existing()
        .order_by()
        .filter(project=project, name=name)
        .values_list(*_COLUMNS)
    ),
)
_LOCKED_BY_NAME = Prepared(
    lambda project, name: (
        RegisteredModel.objects.select_for_update(no_key=True)
        .order_by()
        .filter(project=project, name=name)
        .values_list(*_COLUMNS)
    ),
)
_LOCKED = Prepared(
    lambda model: (
        RegisteredModel.objects.existing()
        .select_for_update(no_key=True)
        .order_by()
        .filter(pk=model)
        .values_list(*_COLUMNS)
    ),
)


def create_model(
    *,
    actor: Actor,
    project: Project,
    name: str,
    model_type: str,
    description: str = "",
    tags: dict[str, str] | None = None,
) -> RegisteredModel:
    """Create a model without versions; a deleted one of the same name goes on with its numbers.

    Raises:
        Conflict: There is a model of this name.
        django.core.exceptions.ValidationError: A field is wrong.
    """
    with atomic_unless_taken(f"There is a model called {name} already."):
        row = _LOCKED_BY_NAME.first(project=project.pk, name=name)
        model = instance_of(RegisteredModel, row) if row else RegisteredModel(name=name)
        if row and model.deleted_at is None:
            raise Conflict(f"There is a model called {name} already.", code="already_exists")
        model.project = project
        model.model_type, model.description, model.tags = (
            model_type,
            description,
            check_tags({} if tags is None else tags),
        )
        model.deleted_at = None
        # Names are settled by their constraint, and ids are new.
        model.full_clean(exclude=["project", "id"])
        if row:
            model.save()
        else:
            insert(model)
        write_tag_rows(model, fresh=not row)
        move_revision()
        record_change(
            actor=actor,
            action="registeredmodel.create",
            obj=model,
            project=project,
            after=state_of(model),
        )
    return model


def update_model(
    *, actor: Actor, model: RegisteredModel, changes: dict[str, Any]
) -> RegisteredModel:
    """Change type, description or tags.

    Raises:
        django.core.exceptions.ValidationError: A field is wrong.
    """
    with transaction.atomic():
        current = locked_model(model)
        before = state_of(current)
        for name, value in changes.items():
            setattr(current, name, check_tags(value) if name == "tags" else value)
        current.full_clean(exclude=["project"])
        current.save()
        if "tags" in changes:
            write_tag_rows(current)
        move_revision()
        record_change(
            actor=actor,
            action="registeredmodel.update",
            obj=current,
            project=current.project,
            before=before,
            after=state_of(current),
        )
    return current


def change_tags(
    *, actor: Actor, model: RegisteredModel, tags: dict[str, str | None]
) -> RegisteredModel:
    """Set some tags of a model and leave the rest; None removes one.

    Raises:
        ValidationFailed: A tag is odd.
    """
    with transaction.atomic():
        current = locked_model(model)
        changes = {"tags": merged(current.tags, tags)}
        return update_model(actor=actor, model=current, changes=changes)


def rename_model(*, actor: Actor, model: RegisteredModel, name: str) -> RegisteredModel:
    """Give a model another name. What was called by the old one is refused from the next call on.

    A tombstone keeps the old name's numbers, so that `name:number` never comes to mean another
    version; a tombstone that holds the new name takes the old one.

    Raises:
        Conflict: There is a model of this name.
        django.core.exceptions.ValidationError: The name is odd.
    """
    with atomic_unless_taken(f"There is a model called {name} already."):
        current = locked_model(model)
        if current.name == name:
            return current
        before, old = state_of(current), current.name
        owned = RegisteredModel.objects.select_for_update(no_key=True).in_project(
            current.project_id
        )
        tombstone = owned.filter(name=name).first()
        if tombstone is not None and tombstone.deleted_at is None:
            raise Conflict(f"There is a model called {name} already.", code="already_exists")
        if tombstone is None:
            tombstone = RegisteredModel(project=current.project, model_type=current.model_type)
            tombstone.deleted_at = timezone.now()
        current.name = name
        current.full_clean(exclude=["project"], validate_unique=False, validate_constraints=False)
        current.last_number = max(current.last_number, tombstone.last_number)
        # Both names are in use until the second row is written: the first takes a name between.
        tombstone.last_number = current.last_number
        tombstone.name = f"\x7f{tombstone.pk}"
        tombstone.save()
        current.save()
        tombstone.name = old
        tombstone.save()
        move_revision()
        record_change(
            actor=actor,
            action="registeredmodel.rename",
            obj=current,
            project=current.project,
            before=before,
            after=state_of(current),
        )
    return current


def delete_model(*, actor: Actor, model: RegisteredModel) -> None:
    """Delete a model with its aliases and versions; its numbers are never given again."""
    with transaction.atomic():
        current = locked_model(model)
        before = state_of(current)
        for alias in current.aliases.select_related("version"):
            record_alias_change(
                actor=actor, alias=alias, previous=alias.version.number, reason="model deleted"
            )
        ModelAlias.objects.filter(model=current).delete()
        ModelTag.objects.filter(owner=current).delete()
        TaskDefault.objects.filter(model=current).delete()
        current.thresholds.all().delete()
        detach_all(
            actor=actor,
            kind=MODEL_VERSION.name,
            target_ids=current.versions.values_list("pk", flat=True),
        )
        lock_versions(current.versions.all())
        current.versions.all().delete()
        current.deleted_at = timezone.now()
        current.save()
        move_revision()
        record_change(
            actor=actor,
            action="registeredmodel.delete",
            obj=current,
            project=current.project,
            before=before,
            after=state_of(current),
        )


def lock_versions(versions: QuerySet[ModelVersion]) -> None:
    """Wait for whoever changes versions, before what refers to them is looked for and deleted."""
    list(versions.select_for_update().order_by("pk").values_list("pk"))


def locked_model(model: RegisteredModel) -> RegisteredModel:
    """Give a model as it is now, locked until the transaction ends.

    Only its own row, and not its key: rows that refer to it can be added meanwhile.

    Raises:
        NotFound: It was deleted meanwhile.
    """
    row = _LOCKED.first(model=model.pk)
    if row is None:
        raise NotFound(f"There is no model called {model.name}.", code="model_not_found")
    current = instance_of(RegisteredModel, row)
    current.project = model.project
    return current


def model_named(*, project: Project, name: str) -> RegisteredModel:
    """Give a model by name.

    Raises:
        NotFound: There is none in this project.
    """
    row = _BY_NAME.first(project=project.pk, name=name)
    if row is None:
        raise NotFound(f"There is no model called {name}.", code="model_not_found")
    model = instance_of(RegisteredModel, row)
    model.project = project
    return model


def set_task_default(
    *, actor: Actor, project: Project, task: str, model: RegisteredModel
) -> TaskDefault:
    """Let a model answer the project's calls of a task that name no model."""
    with transaction.atomic():
        default, _ = TaskDefault.objects.update_or_create(
            project=project, task=task, defaults={"model": model}
        )
        move_revision()
        record_change(
            actor=actor,
            action="taskdefault.set",
            obj=default,
            project=project,
            after={task: model.name},
        )
    return default


def delete_task_default(*, actor: Actor, default: TaskDefault) -> None:
    """Let calls of the task that name no model be refused again."""
    before = {default.task: default.model.name}
    label = TaskDefault(pk=default.pk, task=default.task, model=default.model)
    with transaction.atomic():
        deleted, _ = TaskDefault.objects.filter(pk=default.pk).delete()
        if not deleted:
            return
        move_revision()
        record_change(
            actor=actor,
            action="taskdefault.delete",
            obj=label,
            project=default.project,
            before=before,
        )
