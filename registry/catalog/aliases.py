"""Aliases: names that are moved from version to version."""

from django.db import transaction

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from authz.configuration.revision import move_revision
from intmod_site.api.errors import Conflict, NotFound
from registry.catalog.services import locked_model
from registry.catalog.versions import version_numbered
from registry.models import ModelAlias, RegisteredModel


def set_alias(
    *,
    actor: Actor,
    model: RegisteredModel,
    name: str,
    version: int,
    expected_version: int | None = None,
    reason: str = "",
) -> ModelAlias:
    """Point an alias at a version, creating it if need be.

    Args:
        actor: Who moves it.
        model: Whose alias.
        name: The alias.
        version: Number of the version it points at from now on.
        expected_version: Move it only if it points at this number now.
        reason: Why, for the record.

    Raises:
        NotFound: The model has no such version.
        Conflict: The alias does not point where it was expected to.
        django.core.exceptions.ValidationError: The name is odd.
    """
    with transaction.atomic():
        # The model's row is the lock, because a new alias has none of its own yet.
        locked = locked_model(model)
        target = version_numbered(project=locked.project, model_name=locked.name, number=version)
        alias = ModelAlias.objects.filter(model=locked, name=name).select_related("version").first()
        pointed_at = alias.version.number if alias else None
        if expected_version is not None and pointed_at != expected_version:
            raise Conflict(
                f"{name} points at version {pointed_at}, not {expected_version}.",
                code="alias_moved",
            )
        before = state_of(alias) if alias else None
        alias = alias or ModelAlias(model=locked, name=name)
        alias.version = target
        alias.full_clean(exclude=["model"], validate_unique=False)
        alias.save()
        move_revision()
        record_change(
            actor=actor,
            action="modelalias.set",
            obj=alias,
            project=locked.project,
            before=before,
            after=state_of(alias) | {"number": version, "reason": reason},
        )
    return alias


def delete_alias(*, actor: Actor, alias: ModelAlias) -> None:
    """Remove an alias; calls by it are refused from the next one on.

    Raises:
        NotFound: It was removed meanwhile.
    """
    with transaction.atomic():
        before = state_of(alias)
        label = ModelAlias(pk=alias.pk, model=alias.model, name=alias.name)
        deleted, _ = ModelAlias.objects.filter(pk=alias.pk).delete()
        if not deleted:
            raise NotFound(f"There is no alias {label}.", code="alias_not_found")
        move_revision()
        record_change(
            actor=actor,
            action="modelalias.delete",
            obj=label,
            project=alias.model.project,
            before=before,
        )


def alias_named(*, model: RegisteredModel, name: str) -> ModelAlias:
    """Give an alias.

    Raises:
        NotFound: The model has none of this name.
    """
    alias = (
        ModelAlias.objects.filter(model=model, name=name)
        .select_related("version", "model__project")
        .first()
    )
    if alias is None:
        raise NotFound(f"{model.name} has no alias called {name}.", code="alias_not_found")
    return alias
