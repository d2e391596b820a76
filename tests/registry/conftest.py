"""A project with people in it, and models to call."""

from collections.abc import Callable
from typing import Any

import pytest

from authz.audit.actor import Actor
from authz.configuration.revision import read_revision
from authz.configuration.snapshot import snapshot_at
from authz.identity.principal import Principal
from authz.models import Project, User
from registry.catalog.versions import register_model
from registry.models import ModelVersion
from tests.factories.authz import ACTOR, MembershipFactory, ProjectFactory, UserFactory

Register = Callable[..., ModelVersion]


@pytest.fixture
def actor() -> Actor:
    return ACTOR


@pytest.fixture
def project(db: None) -> Project:
    return ProjectFactory(slug="shop")


@pytest.fixture
def other_project(db: None) -> Project:
    return ProjectFactory(slug="bank")


@pytest.fixture
def user(db: None) -> User:
    return UserFactory(username="ada")


@pytest.fixture
def principal(project: Project, user: User) -> Principal:
    """An operator of the project, at the configuration as it is when a test asks for it."""
    membership = MembershipFactory(user=user, project=project)
    return Principal(
        user_id=user.pk,
        label=user.username,
        kind=user.kind,
        project_id=project.pk,
        project_slug=project.slug,
        membership_id=membership.pk,
        role_id=membership.role_id,
        credential="api_key:test",
        credential_id=membership.pk,
        scopes=frozenset(),
        snapshot=snapshot_at(read_revision()),
    )


@pytest.fixture
def register(project: Project) -> Register:
    """Register a version; says only what differs from a small local language model."""

    def call(model_name: str = "smol", **fields: Any) -> ModelVersion:
        defaults = {
            "project": project,
            "model_type": "llm",
            "provider": "local",
            "provider_model": "smollm2-135m-instruct",
            "tasks": ["generate", "chat", "code"],
        }
        return register_model(actor=ACTOR, model_name=model_name, **defaults | fields)

    return call
