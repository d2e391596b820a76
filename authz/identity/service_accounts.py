"""Service accounts: something that acts, without a password, for somebody who answers for it."""

from django.contrib.auth.models import Group
from django.db import transaction

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from authz.identity.grants import check_held, check_reach, named
from authz.identity.members import update_user
from authz.identity.memberships import remove_membership, set_membership
from authz.models.projects import Membership, Project
from authz.models.users import User
from intmod_site.api.errors import Conflict, ValidationFailed


def create_service_account(
    *,
    actor: Actor,
    project: Project,
    username: str,
    owner: User,
    role: Group,
    held: frozenset[str] | None,
) -> Membership:
    """Create a service account and make it a member of a project.

    Args:
        actor: Who creates it.
        project, role: Where it works, and as what.
        username: Its name, unique over all projects.
        owner: The person who answers for it; while they are deactivated it stops.
        held: What the caller holds; None for the machine's own commands, which hold everything.

    Raises:
        PermissionDenied: The role may do what the caller may not.
        ValidationFailed: The owner is no active person of this project.
        django.core.exceptions.ValidationError: The name is taken or odd.
    """
    _check_owner(owner, project)
    check_held(added=set(named(role.permissions.all())), held=held)
    account = User(username=User.normalize_username(username), kind=User.Kind.SERVICE, owner=owner)
    account.set_unusable_password()
    account.full_clean(exclude=["password"])
    with transaction.atomic():
        account.save(force_insert=True)
        record_change(
            actor=actor, action="user.create", obj=account, project=project, after=state_of(account)
        )
        return set_membership(actor=actor, user=account, project=project, role=role)


def update_service_account(
    *,
    actor: Actor,
    membership: Membership,
    held: frozenset[str],
    owner: User | None = None,
    role: Group | None = None,
    is_active: bool | None = None,
) -> Membership:
    """Give an account another owner or role, or switch it off or on.

    Args:
        actor: Who changes it.
        membership: The account's place in the project.
        held: What the caller holds.
        owner, role, is_active: What to change; None keeps it.

    Raises:
        Conflict: It works in other projects too, so that only staff change the account itself.
        PermissionDenied: It may do, or would be allowed, what the caller may not.
        ValidationFailed: The owner is no active person of this project.
    """
    check_reach(membership, held)
    changes: dict[str, object] = {}
    if owner is not None:
        _check_owner(owner, membership.project)
        changes["owner"] = owner
    if is_active is not None:
        changes["is_active"] = is_active
    if role is not None:
        check_held(added=set(named(role.permissions.all())), held=held)
    with transaction.atomic():
        if changes:
            if _works_elsewhere(membership):
                raise Conflict("The account works in other projects too; staff can change it.")
            membership.user = update_user(actor=actor, user=membership.user, changes=changes)
        if role is not None:
            membership = set_membership(
                actor=actor, user=membership.user, project=membership.project, role=role
            )
    return membership


def delete_service_account(*, actor: Actor, membership: Membership, held: frozenset[str]) -> None:
    """End an account's work in the project, and its keys there.

    The account is kept, deactivated where it works nowhere else: what it did stays its own.

    Raises:
        PermissionDenied: It may do what the caller may not.
    """
    check_reach(membership, held)
    account = membership.user
    with transaction.atomic():
        elsewhere = _works_elsewhere(membership)
        remove_membership(actor=actor, membership=membership)
        if not elsewhere:
            update_user(actor=actor, user=account, changes={"is_active": False})


def _check_owner(owner: User, project: Project) -> None:
    fits = owner.kind == User.Kind.HUMAN and owner.is_active
    if not fits or Membership.objects.of(user=owner, project=project) is None:
        raise ValidationFailed.of("owner", "An active person who is a member of this project.")


def _works_elsewhere(membership: Membership) -> bool:
    return Membership.objects.filter(user=membership.user).exclude(pk=membership.pk).exists()
