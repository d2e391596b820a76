"""External systems."""

from uuid import uuid4

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from integrations.models import CallRecord, Integration
from tests.factories.authz import ProjectFactory


class IntegrationFactory(DjangoModelFactory[Integration]):
    """A system that nobody calls."""

    project = factory.SubFactory(ProjectFactory)
    name = factory.Sequence(lambda number: f"system-{number}")
    base_url = "https://api.example.com"

    class Meta:
        model = Integration


class CallRecordFactory(DjangoModelFactory[CallRecord]):
    """An attempt that went well."""

    created_at = factory.LazyFunction(timezone.now)
    project_id = factory.LazyFunction(uuid4)
    integration_id = factory.LazyFunction(uuid4)
    integration_name = "crm"
    request_id = factory.LazyFunction(lambda: uuid4().hex)
    actor_label = "ada"
    credential = "api_key:abcdefghijkl"
    method = "GET"
    endpoint = "/things"
    attempt = 1
    status = 200
    is_error = False
    latency_ms = 10.0
    response_bytes = 2

    class Meta:
        model = CallRecord
