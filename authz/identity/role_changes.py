"""Roles that staff make and change; the four that come with the product are in `roles`."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import Any

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from authz.audit.actor import Actor
from authz.audit.record import State, record_change, state_of
from authz.configuration.revision import move_revision
from authz.identity.grants import check_held, named
from authz.identity.roles import ROLES
from authz.models.projects import Membership
from intmod_site.api.errors import Conflict


def create_role(
    *,
    actor: Actor,
    name: str,
    permissions: Iterable[Permission] = (),
    held: AbstractSet[str] | None,
) -> Group:
    """Create a role.

    Args:
        actor: Who creates it.
        name: Its name.
        permissions: What its members may do.
        held: What the caller holds; None for a superuser, who holds everything.

    Raises:
        PermissionDenied: Nobody grants what they do not hold.
        django.core.exceptions.ValidationError: The name is taken.
    """
    role = Group(name=name)
    role.full_clean()
    granted = named(permissions)
    check_held(added=set(granted), held=held)
    with transaction.atomic():
        role.save(force_insert=True)
        role.permissions.set(granted.values())
        move_revision()
        record_change(
            actor=actor, action="group.create", obj=role, project=None, after=_state_of(role)
        )
    return role


def update_role(
    *, actor: Actor, role: Group, changes: dict[str, Any], held: AbstractSet[str] | None
) -> Group:
    """Change a role's name or permissions, for all its members from their next request on.

    Raises:
        Conflict: One of the product's roles would be renamed.
        PermissionDenied: Nobody grants what they do not hold.
        django.core.exceptions.ValidationError: The name is taken.
    """
    with transaction.atomic():
        current = Group.objects.select_for_update().get(pk=role.pk)
        before = _state_of(current)
        if current.name in ROLES and changes.get("name", current.name) != current.name:
            raise Conflict(f"The role {current.name} comes with the product and keeps its name.")
        current.name = changes.get("name", current.name)
        current.full_clean()
        current.save()
        if "permissions" in changes:
            granted = named(changes["permissions"])
            check_held(added=set(granted) - set(before["permissions"]), held=held)
            current.permissions.set(granted.values())
        move_revision()
        record_change(
            actor=actor,
            action="group.update",
            obj=current,
            project=None,
            before=before,
            after=_state_of(current),
        )
    return current


def delete_role(*, actor: Actor, role: Group) -> None:
    """Delete a role that nobody has.

    Raises:
        Conflict: It comes with the product, or members have it.
    """
    if role.name in ROLES:
        raise Conflict(f"The role {role.name} comes with the product.")
    with transaction.atomic():
        if Membership.objects.filter(role=role).exists():
            raise Conflict(f"Members have the role {role.name}; give them another one first.")
        before = _state_of(role)
        label = Group(pk=role.pk, name=role.name)
        role.delete()
        move_revision()
        record_change(actor=actor, action="group.delete", obj=label, project=None, before=before)


def _state_of(role: Group) -> State:
    return state_of(role) | {"permissions": sorted(named(role.permissions.all()))}
