"""Users and projects: creating them and what follows from changing them."""

from collections.abc import Set as AbstractSet
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction

from authz.audit.actor import Actor
from authz.audit.record import State, record_change, state_of
from authz.identity.grants import check_held, check_reach
from authz.models.projects import Project
from authz.models.users import User
from intmod_site.api.errors import Conflict

LOG_IN_TO_ADMIN = ("is_active", "is_staff", "is_superuser")


def create_user(
    *,
    actor: Actor,
    username: str,
    password: str | None,
    is_staff: bool = False,
    is_superuser: bool = False,
    **fields: Any,
) -> User:
    """Create a person.

    Args:
        actor: Who creates them.
        username, password: What they log in with; without a password they cannot.
        is_staff, is_superuser: Whether they may log in to the admin, and do everything there.
        fields: Further columns of `User`; `groups` as rows.

    Raises:
        django.core.exceptions.ValidationError: Name taken or odd, password too weak.
    """
    groups = fields.pop("groups", ())
    user = User(
        username=User.normalize_username(username),
        is_staff=is_staff,
        is_superuser=is_superuser,
        **fields,
    )
    if password is not None:
        _check_password(password, user)
    user.set_password(password)
    user.full_clean(exclude=["password"])
    with transaction.atomic():
        user.save(force_insert=True)
        user.groups.set(groups)
        record_change(
            actor=actor, action="user.create", obj=user, project=None, after=_state_of_user(user)
        )
    return user


def update_user(
    *,
    actor: Actor,
    user: User,
    changes: dict[str, Any],
    password: str | None = None,
    held: AbstractSet[str] | None = None,
) -> User:
    """Change a user; a new password ends every session that began before.

    Args:
        actor: Who changes them.
        user: The user.
        changes: Columns of `User`; `groups` as rows.
        password: A new one; None keeps the old one.
        held: What the caller holds; None for superusers and the machine, who hold everything.

    Raises:
        Conflict: People would lock themselves out of the admin.
        PermissionDenied: With the password the caller could do, as them, what they may not.
        django.core.exceptions.ValidationError: A field is wrong, or the password too weak.
    """
    with transaction.atomic():
        current = User.objects.select_for_update().get(pk=user.pk)
        before = _state_of_user(current)
        columns = {name: value for name, value in changes.items() if name != "groups"}
        for name, value in columns.items():
            if actor.id == str(user.pk) and name in LOG_IN_TO_ADMIN and not value:
                raise Conflict("You would lock yourself out; somebody else can do this.")
            setattr(current, name, value)
        if password is not None:
            if held is not None and actor.id != str(user.pk):
                _check_may_become(current, held)
            _check_password(password, current)
            current.set_password(password)
        current.full_clean(exclude=["password"])
        current.save()
        if "groups" in changes:
            current.groups.set(changes["groups"])
        record_change(
            actor=actor,
            action="user.update",
            obj=current,
            project=None,
            before=before,
            after=_state_of_user(current),
        )
    return current


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


def update_project(*, actor: Actor, project: Project, changes: dict[str, Any]) -> Project:
    """Change a project; in one that is not active no credential counts.

    Raises:
        django.core.exceptions.ValidationError: A field is wrong, or the slug is taken.
    """
    with transaction.atomic():
        current = Project.objects.select_for_update().get(pk=project.pk)
        before = state_of(current)
        for name, value in changes.items():
            setattr(current, name, value)
        current.full_clean()
        current.save()
        record_change(
            actor=actor,
            action="project.update",
            obj=current,
            project=current,
            before=before,
            after=state_of(current),
        )
    return current


def _state_of_user(user: User) -> State:
    names = user.groups.order_by("name").values_list("name", flat=True)
    return state_of(user) | {"groups": list(names)}


def _check_may_become(user: User, held: AbstractSet[str]) -> None:
    """Let nobody set the password of somebody who can do more than they: it would be theirs."""
    check_held(added=user.get_all_permissions(), held=held)
    for membership in user.memberships.all():
        check_reach(membership, held)


def _check_password(password: str, user: User) -> None:
    try:
        validate_password(password, user)
    except ValidationError as weak:
        raise ValidationError({"password": weak.messages}) from None
