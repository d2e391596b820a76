"""A project with policies, and something to attach them to."""

from typing import Any

import pytest

from authz.models import Membership, SecurityPolicy
from authz.policies.services import create_policy
from integrations.models import Integration
from tests.api_client import ApiClient
from tests.factories.authz import ACTOR, MembershipFactory, api_key_for
from tests.factories.integrations import IntegrationFactory

RULES: dict[str, Any] = {"required_fields": ["email"], "methods": ["POST"]}


@pytest.fixture
def integration(member: Membership) -> Integration:
    return IntegrationFactory(project=member.project, name="crm")


@pytest.fixture
def policy(member: Membership) -> SecurityPolicy:
    return create_policy(actor=ACTOR, project=member.project, name="pii", rules=RULES)


@pytest.fixture
def stranger(db: None) -> ApiClient:
    """An admin of another project."""
    return ApiClient(api_key_for(MembershipFactory(role_name="admin")))
