from collections.abc import Callable, Iterator
from contextlib import ExitStack
from ipaddress import ip_network
from typing import Any

import pytest

from integrations.http.client import HttpClient
from integrations.http.policy import EgressPolicy
from integrations.http.pool import Pools
from integrations.http.resolver import Resolver
from tests.integrations.http.scripted_server import Script, ScriptedServer

Serve = Callable[..., ScriptedServer]
MakeClient = Callable[..., HttpClient]


@pytest.fixture(scope="session")
def loopback() -> EgressPolicy:
    return EgressPolicy(allowed_networks=(ip_network("127.0.0.1/32"),))


@pytest.fixture
def serve() -> Iterator[Serve]:
    with ExitStack() as stack:

        def start(script: Script, **options: Any) -> ScriptedServer:
            return stack.enter_context(ScriptedServer(script, **options))

        yield start


@pytest.fixture
def make_client() -> Iterator[MakeClient]:
    """Make clients whose names lead where the test says; all are closed at its end."""
    with ExitStack() as stack:

        def make(*answers: tuple[str, ...], **settings: Any) -> HttpClient:
            left = list(answers) or [("127.0.0.1",)]

            def ask(host: str, port: int) -> tuple[str, ...]:
                return left.pop(0) if len(left) > 1 else left[0]

            client = HttpClient(Pools(Resolver(ask), **settings))
            stack.callback(client.close)
            return client

        yield make


@pytest.fixture
def client(make_client: MakeClient) -> HttpClient:
    return make_client()
