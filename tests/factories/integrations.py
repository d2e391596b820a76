"""External systems."""

import factory
from factory.django import DjangoModelFactory

from integrations.models import Integration
from tests.factories.authz import ProjectFactory


class IntegrationFactory(DjangoModelFactory[Integration]):
    """A system that nobody calls."""

    project = factory.SubFactory(ProjectFactory)
    name = factory.Sequence(lambda number: f"system-{number}")
    base_url = "https://api.example.com"

    class Meta:
        model = Integration
