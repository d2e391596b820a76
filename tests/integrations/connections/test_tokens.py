"""Access tokens: asked for once, shared, renewed when they end or are not taken."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection as database
from django.utils import timezone

from integrations.connections import tokens
from integrations.connections.connection import connection_of
from integrations.models import AccessToken, CallRecord, Integration
from tests.api_client import ApiClient
from tests.factories.integrations import IntegrationFactory
from tests.integrations.connections.conftest import SECRET, Register, Serve
from tests.integrations.connections.test_outside_world import OK, answers, status
from tests.integrations.http.scripted_server import Peer, ScriptedServer

PATH = "integration/external/crm/request"
GET = {"method": "GET", "endpoint": "/"}
SCHEME = "oauth2_client_credentials"


class Issuer:
    """A token endpoint that numbers its tokens."""

    def __init__(self, serve: Serve, **answer: Any) -> None:
        self.given = 0
        self.answer = {"token_type": "Bearer", "expires_in": 3600} | answer
        self.server: ScriptedServer = serve(self._script)
        self._lock = threading.Lock()

    def _script(self, peer: Peer) -> None:
        while peer.request():
            with self._lock:
                self.given += 1
                body = {"access_token": f"access-token-{self.given}", **self.answer}
            self.server.over.wait(0.05)
            peer.answer(json.dumps(body).encode())

    def settings(self, **more: str) -> dict[str, str]:
        return {"token_url": self.server.url("/token"), "client_id": "me", **more}


def sent_tokens(server: ScriptedServer) -> list[bytes]:
    return [r.partition(b"Bearer ")[2].partition(b"\r")[0] for r in server.requests]


def test_a_token_is_asked_for_once_and_sent(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    issuer, server = Issuer(serve), serve(answers(OK))
    register(server, auth_scheme=SCHEME, auth_settings=issuer.settings(scope="read"))
    for _ in range(3):
        assert api.ok("POST", PATH, GET)["body"] == "fine"
    assert sent_tokens(server) == [b"access-token-1"] * 3
    (asked,) = issuer.server.requests
    assert b"scope=read" in asked
    assert SECRET.encode() not in b"".join(server.requests)
    row = AccessToken.objects.get()
    assert "access-token-1" not in str(row.__dict__)
    tokens._remembered.clear()
    api.ok("POST", PATH, GET)
    assert issuer.given == 1, "another process takes the shared one"


def test_a_token_that_ends_is_renewed(api: ApiClient, serve: Serve, register: Register) -> None:
    issuer, server = Issuer(serve, expires_in=100), serve(answers(OK))
    register(server, auth_scheme=SCHEME, auth_settings=issuer.settings())
    api.ok("POST", PATH, GET)
    with time_machine.travel(_in(60), tick=True):
        api.ok("POST", PATH, GET)
    with time_machine.travel(_in(80), tick=True):
        api.ok("POST", PATH, GET)
    assert sent_tokens(server) == [b"access-token-1"] * 2 + [b"access-token-2"]


def test_a_token_that_is_not_taken_is_renewed_once(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    issuer, server = Issuer(serve), serve(answers(status("401 Unauthorized"), OK))
    register(server, auth_scheme=SCHEME, auth_settings=issuer.settings(), max_retries=0)
    body = {"method": "POST", "endpoint": "/", "data": {}}
    answer = api.ok("POST", PATH, body)
    assert (answer["status"], answer["attempts"]) == (200, 2)
    assert sent_tokens(server) == [b"access-token-1", b"access-token-2"]


def test_a_system_that_takes_no_token_is_not_asked_for_ever(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    issuer, server = Issuer(serve), serve(answers(status("401 Unauthorized")))
    register(server, auth_scheme=SCHEME, auth_settings=issuer.settings())
    assert api.ok("POST", PATH, GET)["attempts"] == 2
    assert issuer.given == 2


def test_another_secret_or_scope_needs_another_token(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    issuer, server = Issuer(serve), serve(answers(OK))
    register(server, auth_scheme=SCHEME, auth_settings=issuer.settings())
    path = "integration/external/crm"
    api.ok("POST", PATH, GET)
    api.ok("PATCH", path, {"auth_settings": issuer.settings(scope="write")})
    api.ok("POST", PATH, GET)
    api.ok("PATCH", path, {"api_key": "another"})
    api.ok("POST", PATH, GET)
    assert sent_tokens(server) == [b"access-token-1", b"access-token-2", b"access-token-3"]


def test_the_token_url_is_guarded_too(api: ApiClient, serve: Serve, register: Register) -> None:
    server = serve(answers(OK))
    settings = {"token_url": "http://169.254.169.254/token", "client_id": "me"}
    register(server, auth_scheme=SCHEME, auth_settings=settings)
    envelope = api.refused(502, "POST", PATH, GET)
    assert envelope["error_details"]["code"] == "blocked_destination"
    assert server.accepted == 0


def test_a_refused_client_is_told_without_the_secret(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    body = json.dumps({"error": "invalid_client", "error_description": SECRET})
    issuer = serve(answers(status("401 Unauthorized", body=body)))
    settings = {"token_url": issuer.url("/token"), "client_id": "me"}
    register(serve(answers(OK)), auth_scheme=SCHEME, auth_settings=settings)
    envelope = api.refused(502, "POST", PATH, GET)
    assert envelope["error_details"]["code"] == "token_refused"
    assert "401 (invalid_client)" in envelope["error"]
    assert SECRET not in str(envelope) + str(list(CallRecord.objects.values()))
    assert AccessToken.objects.get().refreshing_until is None, "the claim ended with the failure"


def test_a_stored_secret_does_not_go_to_another_token_url(
    api: ApiClient, serve: Serve, register: Register
) -> None:
    issuer = Issuer(serve)
    register(serve(answers(OK)), auth_scheme=SCHEME, auth_settings=issuer.settings())
    moved = {"auth_settings": issuer.settings(token_url="https://evil.example/token")}
    envelope = api.refused(400, "PATCH", "integration/external/crm", moved)
    assert envelope["error_details"]["fields"][0]["path"] == "/api_key"
    api.ok("PATCH", "integration/external/crm", moved | {"api_key": "another"})


@pytest.mark.django_db(transaction=True)
def test_many_at_once_ask_once(serve: Serve) -> None:
    issuer = Issuer(serve)
    integration: Integration = IntegrationFactory(
        auth_scheme=SCHEME, auth_settings=issuer.settings(), api_key=SECRET
    )
    connection = connection_of(integration)

    def take(index: int) -> str:
        try:
            return tokens.access_token(connection, left_s=5)
        finally:
            database.close()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(take, range(16))) == {"access-token-1"}
    assert issuer.given == 1


@pytest.mark.django_db(transaction=True)
def test_processes_that_need_a_token_at_once_ask_once(serve: Serve) -> None:
    """Threads that share nothing but the database stand for processes here."""
    issuer = Issuer(serve)
    integration: Integration = IntegrationFactory(
        auth_scheme=SCHEME, auth_settings=issuer.settings(), api_key=SECRET
    )
    connection = connection_of(integration)
    given_for = tokens._given_for(connection)

    def take(index: int) -> str:
        try:
            return tokens._obtained(connection, given_for, _deadline())
        finally:
            database.close()

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(take, range(6))) == {"access-token-1"}
    assert issuer.given == 1


def _in(seconds: float) -> Any:
    return timezone.now() + timedelta(seconds=seconds)


def _deadline() -> float:
    return time.monotonic() + 10
