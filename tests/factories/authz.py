"""People, projects and credentials."""

from typing import Any

import factory
from django.contrib.auth.models import Group
from factory.django import DjangoModelFactory

from authz.audit.actor import Actor
from authz.identity.keys import create_api_key
from authz.models import Membership, Project, User

ACTOR = Actor(kind="system", label="tests")
PASSWORD = "correct horse battery staple"


class UserFactory(DjangoModelFactory[User]):
    """A person who can log in with PASSWORD."""

    username = factory.Sequence(lambda number: f"user{number}")
    password = factory.django.Password(PASSWORD)

    class Meta:
        model = User


class ProjectFactory(DjangoModelFactory[Project]):
    """An active project."""

    slug = factory.Sequence(lambda number: f"project-{number}")
    name = factory.LazyAttribute(lambda project: project.slug.title())

    class Meta:
        model = Project


class MembershipFactory(DjangoModelFactory[Membership]):
    """A member; `role_name` is one of the four roles."""

    user = factory.SubFactory(UserFactory)
    project = factory.SubFactory(ProjectFactory)
    role = factory.LazyAttribute(lambda membership: Group.objects.get(name=membership.role_name))

    class Params:
        role_name = "operator"

    class Meta:
        model = Membership


def api_key_for(membership: Membership, **fields: Any) -> str:
    """Issue a key to a member, and give its text."""
    _key, text = create_api_key(
        actor=ACTOR,
        user=membership.user,
        project=membership.project,
        **{"name": "test", **fields},
    )
    return text
