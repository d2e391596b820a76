"""A caller, and systems of raw sockets to call."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from integrations.connections import tokens
from integrations.http import client
from integrations.models import Integration
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for
from tests.integrations.http.scripted_server import Script, ScriptedServer

Serve = Callable[..., ScriptedServer]
Register = Callable[..., Integration]
SECRET = "sk-very-secret-key-1234"


@pytest.fixture
def membership(db: None) -> Any:
    return MembershipFactory(project__slug="shop")


@pytest.fixture
def api(membership: Any) -> ApiClient:
    return ApiClient(api_key_for(membership))


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(script: Script, **options: Any) -> ScriptedServer:
            return stack.enter_context(ScriptedServer(script, **options))

        yield start


@pytest.fixture
def register(api: ApiClient) -> Register:
    """Register an integration called crm; waits before retries are short."""

    def make(server: ScriptedServer | str, **fields: Any) -> Integration:
        url = server if isinstance(server, str) else server.url("/base")
        body = {
            "name": "crm", "base_url": url, "api_key": SECRET, "retry_delay_s": 0.01,
            "timeout_s": 10, **fields,
        }  # fmt: skip
        api.ok("POST", "integration/external", body)
        return Integration.objects.get(name=body["name"])

    return make


@pytest.fixture(autouse=True)
def forgotten_tokens_and_connections() -> Iterator[None]:
    yield
    tokens._remembered.clear()
    client._client.close()
