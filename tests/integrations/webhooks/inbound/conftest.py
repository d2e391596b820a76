"""A caller, and sources to register and send from."""

from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse

from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for
from tests.integrations.webhooks.inbound import senders

Register = Callable[..., dict[str, Any]]
Send = Callable[..., HttpResponse]


@pytest.fixture
def membership(db: None) -> Any:
    return MembershipFactory(project__slug="shop")


@pytest.fixture
def api(membership: Any) -> ApiClient:
    return ApiClient(api_key_for(membership))


@pytest.fixture
def register(api: ApiClient) -> Register:
    """Register a source called orders, of Standard Webhooks unless told otherwise."""

    def make(**fields: Any) -> dict[str, Any]:
        body = {"name": "orders", "scheme": "standard", "secret": senders.SHARED, **fields}
        return api.ok("POST", "integration/webhook/sources", body)  # type: ignore[no-any-return]

    return make


@pytest.fixture
def send() -> Send:
    """Post a signed body to a source's address, as somebody without a credential."""

    def post(
        source: dict[str, Any],
        payload: Any = None,
        *,
        sign: Callable[..., dict[str, str]] = senders.standard,
        raw: bytes | None = None,
        content_type: str = "application/json",
        headers: dict[str, str] | None = None,
        **signing: Any,
    ) -> HttpResponse:
        body = raw if raw is not None else senders.body_of(payload)
        signed = {**sign(body, **signing), **(headers or {})}
        return ApiClient().call(
            "POST", source["address"], raw=body, content_type=content_type, **signed
        )

    return post
