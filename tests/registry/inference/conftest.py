"""Providers to call: a scripted one in this process, and scripted sockets outside."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from authz.models import Project
from integrations.http import client
from registry.inference import candidates, gateway
from registry.models import ModelVersion
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for
from tests.factories.integrations import IntegrationFactory
from tests.integrations.http.scripted_server import Script, ScriptedServer
from tests.registry.conftest import Register
from tests.registry.inference.scripted_provider import ScriptedProvider, scripted

UPSTREAM_KEY = "sk-upstream-secret-1234"
PRICES = {"input_usd_per_mtok": "1", "output_usd_per_mtok": "2"}

ServeModel = Callable[..., ScriptedServer]


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait for first pieces as long as it takes: a slow machine changes no status."""
    monkeypatch.setattr(gateway, "PATIENCE_S", 60.0)


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedProvider]:
    with scripted(monkeypatch) as provider:
        yield provider


@pytest.fixture
def serve_model(project: Project, register: Register) -> Iterator[ServeModel]:
    """Register a model whose provider is a raw socket that follows a script."""
    candidates._breaker.cache_clear()
    with ExitStack() as stack:

        def start(script: Script, name: str = "remote", **fields: Any) -> ScriptedServer:
            server = stack.enter_context(ScriptedServer(script))
            timing = {
                "retry_delay_s": 0.01,
                "max_retries": 0,
                **{key: fields.pop(key) for key in list(fields) if key in TIMING},
            }
            integration = IntegrationFactory(
                project=project,
                name=name,
                base_url=server.url("/v1"),
                api_key=UPSTREAM_KEY,
                **timing,
            )
            version: ModelVersion = register(
                name,
                **{
                    "provider": "openai",
                    "provider_model": "upstream-model",
                    "integration": integration,
                    "tasks": ["generate", "chat", "code"],
                    "prices": PRICES,
                    **fields,
                },
            )
            server.version = version  # type: ignore[attr-defined]
            return server

        yield start
    client._client.close()


TIMING = {
    "connect_timeout_s", "first_byte_timeout_s", "idle_timeout_s", "timeout_s", "max_retries",
    "retry_delay_s",
}  # fmt: skip


@pytest.fixture
def developer(project: Project) -> ApiClient:
    """Somebody who may call the project's models."""
    return ApiClient(api_key_for(MembershipFactory(project=project, role_name="developer")))
