"""Aliases: names that are moved from version to version."""

from django.db import transaction

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from authz.configuration.revision import move_revision
from intmod_site.api.errors import Conflict, NotFound
from intmod_site.prepared import Prepared, columns_of, insert, instance_of
from registry.catalog.alias_history import record_alias_change
from registry.catalog.protection import check_move
from registry.catalog.services import locked_model
from registry.catalog.versions import version_numbered
from registry.models import AliasChange, ModelAlias, ModelVersion, RegisteredModel

_NAMED = Prepared(
    lambda model, name: (
        ModelAlias.objects.order_by()
        .filter(model=model, name=name)
        .values_list(
            *columns_of(ModelAlias), *(f"version__{column}" for column in columns_of(ModelVersion))
        )
    ),
)


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
        expected_version: Move it only if it points at this number now; 0 means that there must be
            no such alias yet.
        reason: Why, for the record.

    Raises:
        NotFound: The model has no such version.
        Conflict: The alias does not point where it was expected to, or a gate is shut.
        PermissionDenied: It is protected, and not for them to move.
        django.core.exceptions.ValidationError: The name is odd.
    """
    with transaction.atomic():
        # The model's row is the lock, because a new alias has none of its own yet.
        locked = locked_model(model)
        target = version_numbered(project=locked.project, model_name=locked.name, number=version)
        alias = _expected(locked, name, expected_version)
        if alias is not None and alias.version_id == target.pk:
            return alias
        check_move(actor=actor, version=target, alias=name)
        return _point(actor, locked, name, alias, target, reason=reason)


def roll_back(
    *,
    actor: Actor,
    model: RegisteredModel,
    name: str,
    expected_version: int | None = None,
    reason: str = "",
) -> ModelAlias:
    """Point an alias back at the version before; once more, and it goes back one further.

    The gates were passed when it pointed there first, and are not asked again.

    Raises:
        NotFound: There is no such alias.
        Conflict: Nothing that is still there came before, or it points elsewhere than expected.
        PermissionDenied: It is protected, and not for them to move.
    """
    with transaction.atomic():
        locked = locked_model(model)
        alias = _expected(locked, name, expected_version)
        if alias is None:
            raise NotFound(f"{locked.name} has no alias called {name}.", code="alias_not_found")
        earlier = _earlier(alias)
        if earlier is None:
            raise Conflict(f"Nothing came before on {alias}.", code="nothing_to_roll_back")
        target = version_numbered(
            project=locked.project, model_name=locked.name, number=earlier.version_number or 0
        )
        check_move(actor=actor, version=target, alias=name, gated=False)
        return _point(actor, locked, name, alias, target, reason=reason, restores=earlier.sequence)


def delete_alias(*, actor: Actor, alias: ModelAlias) -> None:
    """Remove an alias; calls by it are refused from the next one on.

    Raises:
        NotFound: It was removed meanwhile.
        PermissionDenied: It is protected, and not for them to move.
    """
    with transaction.atomic():
        locked = locked_model(alias.model)
        current = _expected(locked, alias.name, None)
        if current is None:
            raise NotFound(f"There is no alias {alias}.", code="alias_not_found")
        check_move(actor=actor, version=current.version, alias=current.name, gated=False)
        before, label = state_of(current), ModelAlias(pk=current.pk, model=locked, name=alias.name)
        record_alias_change(actor=actor, alias=current, previous=current.version.number)
        current.delete()
        move_revision()
        record_change(
            actor=actor,
            action="modelalias.delete",
            obj=label,
            project=locked.project,
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


def _expected(model: RegisteredModel, name: str, expected_version: int | None) -> ModelAlias | None:
    """Give the alias, if it points where it is expected to."""
    row = _NAMED.first(model=model.pk, name=name) if name else None
    alias = None
    if row is not None:
        width = len(columns_of(ModelAlias))
        alias = instance_of(ModelAlias, row[:width])
        alias.version = instance_of(ModelVersion, row[width:])
        alias.model = alias.version.model = model
        alias.version.project = model.project
    pointed_at = alias.version.number if alias else 0
    if expected_version is not None and pointed_at != expected_version:
        where = f"version {pointed_at}" if pointed_at else "nothing"
        raise Conflict(f"{name} points at {where}, not {expected_version}.", code="alias_moved")
    return alias


def _point(
    actor: Actor,
    model: RegisteredModel,
    name: str,
    alias: ModelAlias | None,
    target: ModelVersion,
    *,
    reason: str,
    restores: int | None = None,
) -> ModelAlias:
    before = state_of(alias) if alias else None
    previous = alias.version.number if alias else None
    alias = alias or ModelAlias(model=model, name=name)
    alias.version = target
    # Who comes second waits for the model's row: the name is free, or it is this alias's.
    alias.full_clean(
        exclude=["id", "model", "version"], validate_unique=False, validate_constraints=False
    )
    if before is None:
        insert(alias)
    else:
        alias.save(update_fields=["version", "updated_at"])
    record_alias_change(
        actor=actor,
        alias=alias,
        previous=previous,
        version=target.number,
        reason=reason,
        restores=restores,
    )
    move_revision()
    record_change(
        actor=actor,
        action="modelalias.set" if restores is None else "modelalias.rollback",
        obj=alias,
        project=model.project,
        before=before,
        after=state_of(alias) | {"number": target.number, "reason": reason},
    )
    return alias


def _earlier(alias: ModelAlias) -> AliasChange | None:
    """Give the move to go back to: before the present one, or before the one it restored."""
    moves = AliasChange.objects.filter(model=alias.model_id, name=alias.name)
    present = moves.order_by("-sequence").first()
    if present is None:
        return None
    there = ModelVersion.objects.filter(model=alias.model_id).values("number")
    return (
        moves.filter(sequence__lt=present.restores or present.sequence, version_number__in=there)
        .exclude(version_number=alias.version.number)
        .order_by("-sequence")
        .first()
    )
