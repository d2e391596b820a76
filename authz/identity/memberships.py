"""Who works in which project as what: letting people in, changing what they may do, ending it."""

from collections.abc import Iterable
from collections.abc import Set as AbstractSet

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.utils import timezone

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from authz.configuration.revision import move_revision
from authz.identity.grants import check_held, check_reach, named, set_extra_permissions
from authz.identity.last_admin import keeping_an_admin
from authz.identity.members import create_project
from authz.identity.roles import ADMIN, role_named
from authz.models.credentials import APIKey, Session
from authz.models.projects import Membership, Project
from authz.models.users import User
from intmod_site.api.errors import Conflict


def set_membership(
    *,
    actor: Actor,
    user: User,
    project: Project,
    role: Group,
    extra_permissions: Iterable[Permission] | None = None,
    held: AbstractSet[str] | None = None,
    new: bool = False,
) -> Membership:
    """Make the user a member in this role, or change role and permissions of one who is.

    Args:
        actor: Who does it.
        user, project, role: Who, where, as what.
        extra_permissions: All those beyond the role; None keeps what there is.
        held: What the caller holds; None for superusers and the machine, who hold everything.
        new: Whether the user must not be a member yet.

    Raises:
        Conflict: They are a member already, or the project's last admin.
        PermissionDenied: Nobody grants what they do not hold, nor changes who can do more.
    """
    with transaction.atomic(), keeping_an_admin(project, held=held):
        membership = _in_role(
            actor=actor, user=user, project=project, role=role, held=held, new=new
        )
        if extra_permissions is not None:
            set_extra_permissions(
                actor=actor, membership=membership, permissions=extra_permissions, held=held
            )
    return membership


def remove_membership(
    *, actor: Actor, membership: Membership, held: AbstractSet[str] | None = None
) -> None:
    """End a membership: the user's credentials in the project count no more.

    Args:
        actor: Who ends it.
        membership: The membership.
        held: What the caller holds; None for superusers and the machine, who hold everything.

    Raises:
        Conflict: It is the project's last admin's.
        PermissionDenied: The member can do what the caller may not.
    """
    check_reach(membership, held)
    before = state_of(membership)
    label = Membership(
        pk=membership.pk, user_id=membership.user_id, project_id=membership.project_id
    )
    ours = {"user_id": membership.user_id, "project_id": membership.project_id}
    with transaction.atomic(), keeping_an_admin(membership.project, held=held):
        membership.delete()
        # Ended for good: a later membership does not bring old credentials back to life.
        now = timezone.now()
        APIKey.objects.filter(**ours, revoked_at=None).update(revoked_at=now)
        Session.objects.filter(**ours, revoked_at=None).update(
            revoked_at=now, revoked_reason="membership_ended"
        )
        move_revision()
        record_change(
            actor=actor,
            action="membership.delete",
            obj=label,
            project=membership.project,
            before=before,
        )


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


def _in_role(
    *,
    actor: Actor,
    user: User,
    project: Project,
    role: Group,
    held: AbstractSet[str] | None,
    new: bool,
) -> Membership:
    """Give the membership in this role, made or changed where it was not there."""
    membership = (
        Membership.objects.select_for_update(of=("self",))
        .filter(user=user, project=project)
        .select_related("user", "project")
        .first()
    )
    if membership is None:
        before = None
        membership = Membership(user=user, project=project)
    elif new:
        raise Conflict(f"{user} is a member already.")
    else:
        check_reach(membership, held)
        if membership.role_id == role.pk:
            return membership
        before = state_of(membership)
    check_held(added=set(named(role.permissions.all())), held=held)
    membership.role = role
    membership.save()
    move_revision()
    record_change(
        actor=actor,
        action="membership.update" if before else "membership.create",
        obj=membership,
        project=project,
        before=before,
        after=state_of(membership),
    )
    return membership
