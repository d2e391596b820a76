"""Protected aliases: who may move them, and what must hold before they move.

Rooms above the catalog add gates of their own by `register_gate`: a passed suite, no alert.
"""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from authz.identity.roles import ROLES
from authz.models import Membership, Project, User
from intmod_site.api.errors import (
    Conflict,
    FieldError,
    NotFound,
    PermissionDenied,
    ValidationFailed,
)
from intmod_site.conflicts import atomic_unless_taken
from intmod_site.locked_rows import locked
from intmod_site.prepared import Prepared, columns_of, instance_of
from registry.catalog.search.query import VERSIONS, condition_of
from registry.models import ApprovalRequest, ModelVersion, ProtectedAlias

Gate = Callable[[ModelVersion], str | None]
"""Says why a version may not take a protected alias; None when it may."""

_gates: dict[str, Gate] = {}
_PROTECTION = Prepared(
    lambda project, name: (
        ProtectedAlias.objects.order_by()
        .filter(project=project, name=name)
        .values_list(*columns_of(ProtectedAlias))
    ),
)
WRITABLE = ("movers", "requires_approval", "condition", "gates")


def register_gate(name: str, gate: Gate) -> None:
    """Make a gate known, under the name by which protections ask for it."""
    _gates[name] = gate


def check_move(*, actor: Actor, version: ModelVersion, alias: str, gated: bool = True) -> None:
    """Let an alias move to a version, or say what stands against it; inside the move's transaction.

    Args:
        actor: Who moves it; commands and the system itself may always.
        version: Where to.
        alias: The alias's name.
        gated: False for what lets a version go or goes back to one that passed before.

    Raises:
        PermissionDenied: The alias is protected, and not for them to move.
        Conflict: A gate does not hold; each is named.
    """
    row = _PROTECTION.first(project=version.project_id, name=alias)
    if row is None:
        return
    protection = instance_of(ProtectedAlias, row)
    _check_mover(actor, protection)
    if not gated:
        return
    closed = list(_closed_gates(protection, version))
    if closed:
        raise Conflict(
            f"{alias} is protected: {' '.join(text for _, text in closed)}",
            code="gate_closed",
            fields=tuple(
                FieldError(f"/gates/{name}", "gate_closed", text) for name, text in closed
            ),
        )


def _check_mover(actor: Actor, protection: ProtectedAlias) -> None:
    if not protection.movers or actor.kind in {"command", "system"}:
        return
    roles = Membership.objects.filter(user__pk=actor.id, project=protection.project_id)
    if roles.filter(role__name__in=protection.movers).exists():
        return
    if actor.credential == "admin" and User.objects.get(pk=actor.id).is_superuser:
        return
    raise PermissionDenied(
        f"{protection.name} is protected: it is moved by {', '.join(protection.movers)}."
    )


def _closed_gates(protection: ProtectedAlias, version: ModelVersion) -> Any:
    if version.status != ModelVersion.Status.READY or not version.is_active:
        yield "status", f"{version} is not ready and active."
    if protection.requires_approval and not _is_approved(version, protection.name):
        yield "approval", f"{version} is not approved for it."
    if protection.condition:
        holds = condition_of(protection.condition, VERSIONS, project_id=version.project_id)
        if not ModelVersion.objects.filter(holds, pk=version.pk).exists():
            yield "condition", f"{version} does not match: {protection.condition}."
    for name in protection.gates:
        gate = _gates.get(name)
        # A gate that nobody knows any more stays shut: its plugin may be missing by mistake.
        reason = gate(version) if gate else f"there is no gate called {name}"
        if reason:
            yield name, f"{reason.rstrip('.')}."


def _is_approved(version: ModelVersion, alias: str) -> bool:
    latest = (
        ApprovalRequest.objects.filter(version=version, alias=alias)
        .exclude(state=ApprovalRequest.State.PENDING)
        .order_by("-reviewed_at")
        .first()
    )
    return latest is not None and latest.state == ApprovalRequest.State.APPROVED


def protect_alias(*, actor: Actor, project: Project, name: str, **fields: Any) -> ProtectedAlias:
    """Protect an alias on every model of the project.

    Raises:
        Conflict: It is protected already.
        ValidationFailed, django.core.exceptions.ValidationError: A field is wrong.
    """
    with atomic_unless_taken(f"The alias {name} is protected already."):
        protection = ProtectedAlias(project=project, name=name, **fields)
        _check(protection)
        protection.save(force_insert=True)
        record_change(
            actor=actor,
            action="protectedalias.create",
            obj=protection,
            project=project,
            after=state_of(protection),
        )
    return protection


def update_protection(
    *, actor: Actor, protection: ProtectedAlias, changes: dict[str, Any]
) -> ProtectedAlias:
    """Change what a protected alias asks for.

    Raises:
        ValidationFailed, django.core.exceptions.ValidationError: A field is wrong.
    """
    with transaction.atomic():
        current = _locked(protection)
        before = state_of(current)
        for name, value in changes.items():
            setattr(current, name, value)
        _check(current)
        current.save()
        record_change(
            actor=actor,
            action="protectedalias.update",
            obj=current,
            project=current.project,
            before=before,
            after=state_of(current),
        )
    return current


def unprotect_alias(*, actor: Actor, protection: ProtectedAlias) -> None:
    """Let an alias move freely again."""
    with transaction.atomic():
        current = _locked(protection)
        before = state_of(current)
        project = current.project
        current.delete()
        record_change(
            actor=actor,
            action="protectedalias.delete",
            obj=protection,
            project=project,
            before=before,
        )


def _locked(protection: ProtectedAlias) -> ProtectedAlias:
    return locked(protection, missing=NotFound(f"The alias {protection.name} is not protected."))


def _check(protection: ProtectedAlias) -> None:
    for field, known in (("movers", ROLES), ("gates", sorted(_gates))):
        values = getattr(protection, field)
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise ValidationFailed.of(field, "A list of names.")
        for value in values:
            if value not in known:
                offered = ", ".join(known) or "none"
                raise ValidationFailed.of(field, f"{value!a} is none of: {offered}.")
    try:
        condition_of(protection.condition, VERSIONS)
    except ValidationFailed as error:
        raise ValidationFailed.of("condition", error.fields[0].message) from None
    protection.full_clean(exclude=["project"], validate_unique=False, validate_constraints=False)
