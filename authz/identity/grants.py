"""Permissions of a member: asking whether, and granting beyond the role."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from django.contrib.auth.models import Permission
from django.db import transaction
from django.db.models import QuerySet

from authz.audit.actor import Actor
from authz.audit.record import record_change
from authz.configuration.revision import move_revision
from authz.identity.last_admin import keeping_an_admin
from authz.identity.principal import permissions_of
from authz.models.projects import Membership
from intmod_site.api.errors import PermissionDenied, ValidationFailed


def check_permission(*, membership: Membership, permission: str) -> bool:
    """Whether a member holds a permission, by role or beyond it."""
    return membership.user.is_active and permission in permissions_of(
        membership.pk, membership.role_id
    )


def add_user_permission(
    *, actor: Actor, membership: Membership, permission: str, held: frozenset[str]
) -> None:
    """Grant a member one permission beyond the role.

    Args:
        actor: Who grants it.
        membership: To whom, and where.
        permission: `app_label.codename`.
        held: What the granting caller holds.

    Raises:
        PermissionDenied: Nobody grants what they do not hold.
        ValidationFailed: There is no such permission.
    """
    row = _permission(permission)
    if permission not in held:
        raise PermissionDenied(f"You do not hold the permission {permission} yourself.")
    with transaction.atomic():
        _lock(membership)
        if membership.extra_permissions.filter(pk=row.pk).exists():
            return
        membership.extra_permissions.add(row)
        move_revision()
        record_change(
            actor=actor,
            action="membership.grant",
            obj=membership,
            project=membership.project,
            after={"permission": permission},
        )


def remove_user_permission(
    *,
    actor: Actor,
    membership: Membership,
    permission: str,
    held: AbstractSet[str] | None = None,
) -> None:
    """Take back a permission granted beyond the role.

    Args:
        actor: Who takes it back.
        membership: From whom, and where.
        permission: `app_label.codename`.
        held: What the caller holds; None for superusers and the machine, who hold everything.

    Raises:
        Conflict: It makes them the project's last admin.
        PermissionDenied: The member can do what the caller may not.
        ValidationFailed: There is no such permission, or only the role grants it.
    """
    row = _permission(permission)
    check_reach(membership, held)
    with transaction.atomic(), keeping_an_admin(membership.project, held=held):
        _lock(membership)
        if not membership.extra_permissions.filter(pk=row.pk).exists():
            raise ValidationFailed.of("permission", "It was not granted beyond the role.")
        membership.extra_permissions.remove(row)
        move_revision()
        record_change(
            actor=actor,
            action="membership.revoke",
            obj=membership,
            project=membership.project,
            before={"permission": permission},
        )


def set_extra_permissions(
    *,
    actor: Actor,
    membership: Membership,
    permissions: Iterable[Permission],
    held: AbstractSet[str] | None,
) -> None:
    """Make these the permissions that a member has beyond the role.

    Args:
        actor: Who grants and takes back.
        membership: To whom, and where.
        permissions: All of them.
        held: What the granting caller holds; None for a superuser, who holds everything.

    Raises:
        Conflict: One that goes makes them the project's last admin.
        PermissionDenied: Nobody grants what they do not hold, nor changes who can do more.
    """
    with transaction.atomic(), keeping_an_admin(membership.project, held=held):
        _lock(membership)
        before = named(membership.extra_permissions.all())
        after = named(permissions)
        if after == before:
            return
        check_reach(membership, held)
        check_held(added=set(after) - set(before), held=held)
        membership.extra_permissions.set(after.values())
        move_revision()
        record_change(
            actor=actor,
            action="membership.update",
            obj=membership,
            project=membership.project,
            before={"extra_permissions": sorted(before)},
            after={"extra_permissions": sorted(after)},
        )


def check_held(*, added: AbstractSet[str], held: AbstractSet[str] | None) -> None:
    """Let people grant only what they hold; None holds everything.

    Raises:
        PermissionDenied: Naming the first permission that is not held.
    """
    if held is not None and (missing := sorted(added - held)):
        raise PermissionDenied(f"You do not hold the permission {missing[0]} yourself.")


def check_reach(membership: Membership, held: AbstractSet[str] | None) -> None:
    """Let nobody change, or act through, somebody who can do more than they; None holds everything.

    Raises:
        PermissionDenied: Naming the first permission that the caller lacks.
    """
    if held is None:
        return
    if missing := sorted(permissions_of(membership.pk, membership.role_id) - held):
        raise PermissionDenied(f"{membership.user} can do what you may not: {missing[0]}.")


def named(permissions: Iterable[Permission]) -> dict[str, Permission]:
    """Give permissions by `app_label.codename`."""
    if isinstance(permissions, QuerySet):
        permissions = permissions.select_related("content_type")
    return {f"{row.content_type.app_label}.{row.codename}": row for row in permissions}


def permissions_named(names: Iterable[str]) -> dict[str, Permission]:
    """Give those of the permissions that exist, by `app_label.codename`."""
    wanted = set(names)
    codenames = {name.partition(".")[2] for name in wanted}
    found = named(Permission.objects.filter(codename__in=codenames))
    return {name: row for name, row in found.items() if name in wanted}


def _lock(membership: Membership) -> None:
    """Let changes of one member's permissions come one after the other."""
    Membership.objects.select_for_update(no_key=True).get(pk=membership.pk)


def _permission(name: str) -> Permission:
    row = permissions_named([name]).get(name)
    if row is None:
        raise ValidationFailed.of("permission", f"There is no permission called {name}.")
    return row
