"""Members and their clients."""

from collections.abc import Callable
from typing import Any

import pytest

from authz.models import Membership
from tests.api_client import ApiClient
from tests.factories.authz import PASSWORD, MembershipFactory, api_key_for

ED25519 = "ed25519." + "A" * 42 + "8"
"""A key for EdDSA, as the ring holds it."""

LogIn = Callable[..., dict[str, Any]]


@pytest.fixture
def member(db: None) -> Membership:
    return MembershipFactory(user__username="ada", project__slug="shop", role_name="admin")


@pytest.fixture
def anonymous(db: None) -> ApiClient:
    return ApiClient()


@pytest.fixture
def with_key(member: Membership) -> ApiClient:
    return ApiClient(api_key_for(member))


@pytest.fixture
def log_in(anonymous: ApiClient, member: Membership) -> LogIn:
    def call(**fields: Any) -> dict[str, Any]:
        body = {"username": member.user.username, "password": PASSWORD, **fields}
        return dict(anonymous.ok("POST", "auth/token", body))

    return call


@pytest.fixture(params=["HS256", "EdDSA"])
def ring(request: pytest.FixtureRequest, settings: Any) -> None:
    """Sign tokens by one algorithm, then by the other."""
    settings.JWT_SIGNING_KEYS = {"k1": "n" * 48 if request.param == "HS256" else ED25519}
