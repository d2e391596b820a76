"""A project keeps somebody who can let others in."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import contextmanager

from django.contrib.auth.models import Permission
from django.db.models import Q

from authz.models.projects import Membership, Project
from authz.models.users import User
from intmod_site.api.errors import Conflict

LETS_IN = ("authz", "change_membership")


@contextmanager
def keeping_an_admin(project: Project, *, held: AbstractSet[str] | None) -> Iterator[None]:
    """Let a project's memberships change one after the other, and one admin remain.

    Inside a transaction, which the refusal rolls back.

    Args:
        project: Whose memberships change.
        held: What the caller holds; None for a superuser, who can let somebody in again.

    Raises:
        Conflict: Nobody would be left who can change memberships.
    """
    if held is None:
        yield
        return
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    had = _has_admin(project)
    yield
    if had and not _has_admin(project):
        raise Conflict("This is the project's last admin; make somebody else one first.")


def _has_admin(project: Project) -> bool:
    app, codename = LETS_IN
    lets_in = Permission.objects.filter(content_type__app_label=app, codename=codename)
    people = Membership.objects.filter(
        project=project, user__kind=User.Kind.HUMAN, user__is_active=True
    )
    return people.filter(
        Q(role__permissions__in=lets_in) | Q(extra_permissions__in=lets_in)
    ).exists()
