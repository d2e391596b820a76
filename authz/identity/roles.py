"""The four roles, and what each may do.

A role is a Django group. Each app names what it grants in `role_permissions` on its AppConfig;
a role includes the ones before it. What staff add to a group in the admin stays.
"""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.models import Group, Permission

VIEWER, DEVELOPER, OPERATOR, ADMIN = ROLES = ("viewer", "developer", "operator", "admin")


def create_roles(sender: AppConfig, **_: Any) -> None:
    """Create the roles and grant what `sender` names; runs after each app's migrations."""
    granted: dict[str, list[str]] = getattr(sender, "role_permissions", {})
    if not granted:
        return
    held: set[str] = set()
    for role in ROLES:
        held |= set(granted.get(role, []))
        group, _created = Group.objects.get_or_create(name=role)
        permissions = Permission.objects.filter(
            content_type__app_label=sender.label, codename__in=held
        )
        missing = held - {permission.codename for permission in permissions}
        if missing:
            raise LookupError(
                f"{sender.label} grants permissions that do not exist: {sorted(missing)}"
            )
        group.permissions.add(*permissions)


def role_named(name: str) -> Group:
    """Give the group of a role.

    Raises:
        Group.DoesNotExist: There is no such role.
    """
    return Group.objects.get(name=name)
