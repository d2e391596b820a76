"""Letting people into projects: role and permissions beyond it, in one transaction."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from django.contrib.auth.models import Group, Permission
from django.db import transaction

from authz.audit.actor import Actor
from authz.identity.grants import check_held, named, set_extra_permissions
from authz.identity.last_admin import keeping_an_admin
from authz.identity.members import create_project, place_member, set_membership
from authz.identity.roles import ADMIN, role_named
from authz.models.projects import Membership, Project
from authz.models.users import User


def save_membership(
    *,
    actor: Actor,
    user: User,
    project: Project,
    role: Group,
    extra_permissions: Iterable[Permission] | None = None,
    held: AbstractSet[str] | None,
    new: bool = False,
) -> Membership:
    """Give a user a role in a project, and permissions beyond it.

    Args:
        actor: Who lets them in or changes them.
        user, project, role: Who, where, as what.
        extra_permissions: All of them; None keeps what there is.
        held: What the caller holds; None for a superuser, who holds everything.
        new: Whether the user must not be a member yet.

    Raises:
        Conflict: They are a member already, or the project's last admin.
        PermissionDenied: Nobody grants what they do not hold, nor changes who can do more.
    """
    with transaction.atomic(), keeping_an_admin(project, held=held):
        membership = place_member(
            actor=actor, user=user, project=project, role=role, held=held, new=new
        )
        if extra_permissions is not None:
            set_extra_permissions(
                actor=actor, membership=membership, permissions=extra_permissions, held=held
            )
    return membership


def found_project(
    *, actor: Actor, slug: str, name: str, founder: User, held: AbstractSet[str]
) -> Project:
    """Create a project whose founder is its admin; with a service account, its owner too.

    Args:
        actor: Who creates it.
        slug, name: Of the project.
        founder: Who becomes its admin.
        held: What the caller holds.

    Raises:
        PermissionDenied: The founder would be able to do there what they cannot do here.
        django.core.exceptions.ValidationError: The slug is taken or odd.
    """
    admin = role_named(ADMIN)
    check_held(added=set(named(admin.permissions.all())), held=held)
    with transaction.atomic():
        project = create_project(actor=actor, slug=slug, name=name)
        for user in filter(None, (founder, founder.owner)):
            set_membership(actor=actor, user=user, project=project, role=admin)
    return project
