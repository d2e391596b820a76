"""A caller, receivers of raw sockets, and endpoints that lead to them."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from authz.models import Project
from integrations.http import client
from integrations.models import WebhookEndpoint
from integrations.webhooks.endpoints import register_endpoint
from tests.api_client import ApiClient
from tests.factories.authz import ACTOR, MembershipFactory, api_key_for
from tests.integrations.http.scripted_server import Script, ScriptedServer, replying

Serve = Callable[..., ScriptedServer]
Register = Callable[..., WebhookEndpoint]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture
def membership(db: None) -> Any:
    return MembershipFactory(project__slug="shop")


@pytest.fixture
def project(membership: Any) -> Project:
    return membership.project


@pytest.fixture
def api(membership: Any) -> ApiClient:
    return ApiClient(api_key_for(membership))


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(script: Script | bytes, **options: Any) -> ScriptedServer:
            made = replying(script) if isinstance(script, bytes) else script
            return stack.enter_context(ScriptedServer(made, **options))

        yield start


@pytest.fixture
def register(project: Project) -> Register:
    """Register an endpoint that asks for everything."""

    def make(server: ScriptedServer | str, **fields: Any) -> WebhookEndpoint:
        url = server if isinstance(server, str) else server.url("/hooks?token=hidden")
        return register_endpoint(
            **{
                "actor": ACTOR, "project": project, "url": url, "event_types": ["*"],
                "secret": SECRET, "timeout_s": 10, **fields,
            }
        )  # fmt: skip

    return make


@pytest.fixture(autouse=True)
def forgotten_connections() -> Iterator[None]:
    yield
    client._client.close()
