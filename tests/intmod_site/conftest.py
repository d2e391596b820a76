"""A client with a key, and one model to call."""

import pytest

from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for


@pytest.fixture
def api(db: None) -> ApiClient:
    return ApiClient(api_key_for(MembershipFactory(user__username="ada", project__slug="shop")))
