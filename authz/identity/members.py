"""Users, projects and memberships: creating them and what follows from changing them."""

from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.db import transaction

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from authz.configuration.revision import move_revision
from authz.models.projects import Membership, Project
from authz.models.users import User


def create_user(
    *,
    actor: Actor,
    username: str,
    password: str | None,
    is_staff: bool = False,
    is_superuser: bool = False,
) -> User:
    """Create a person.

    Raises:
        django.core.exceptions.ValidationError: Name taken or odd, password too weak.
    """
    user = User(
        username=User.normalize_username(username), is_staff=is_staff, is_superuser=is_superuser
    )
    if password is not None:
        validate_password(password, user)
    user.set_password(password)
    user.full_clean(exclude=["password"])
    with transaction.atomic():
        user.save(force_insert=True)
        record_change(
            actor=actor, action="user.create", obj=user, project=None, after=state_of(user)
        )
    return user


def create_project(*, actor: Actor, slug: str, name: str) -> Project:
    """Create a project.

    Raises:
        django.core.exceptions.ValidationError: The slug is taken or odd.
    """
    project = Project(slug=slug, name=name)
    project.full_clean()
    with transaction.atomic():
        project.save(force_insert=True)
        record_change(
            actor=actor,
            action="project.create",
            obj=project,
            project=project,
            after=state_of(project),
        )
    return project


def set_membership(*, actor: Actor, user: User, project: Project, role: Group) -> Membership:
    """Make the user a member in this role, or change the role of one who is."""
    with transaction.atomic():
        membership = (
            Membership.objects.select_for_update().filter(user=user, project=project).first()
        )
        before = state_of(membership) if membership else None
        if membership is None:
            membership = Membership(user=user, project=project)
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
