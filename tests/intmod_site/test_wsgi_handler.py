"""The short way through WSGI: whole answers in one piece, streams piece by piece, nothing held."""

import io
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core import signals
from django.db import connections
from django.urls import get_script_prefix, set_script_prefix

from authz.models import Project
from intmod_site.wsgi_handler import ShortHandler
from registry.catalog.versions import register_model
from tests.factories.authz import ACTOR, MembershipFactory, ProjectFactory, api_key_for
from tests.registry.inference.scripted_provider import scripted

CHAT = "/v1/chat/completions"
Ask = Callable[..., tuple[str, dict[str, str], Any]]


@pytest.fixture
def ask() -> Iterator[Ask]:
    handler = ShortHandler()
    prefix = get_script_prefix()

    def call(
        method: str, path: str, body: bytes = b"", **environ: str
    ) -> tuple[str, dict[str, str], Any]:
        begun: list[Any] = []
        answer = handler(
            {
                "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": "",
                "SERVER_NAME": "testserver", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1",
                "REMOTE_ADDR": "127.0.0.1", "CONTENT_TYPE": "application/json",
                "CONTENT_LENGTH": str(len(body)), "wsgi.url_scheme": "http",
                "wsgi.input": io.BytesIO(body), "wsgi.errors": io.StringIO(), **environ,
            },
            lambda status, headers: begun.extend((status, dict(headers))),
        )  # fmt: skip
        return begun[0], begun[1], answer

    yield call
    # A thread keeps the prefix of its last request; other tests' addresses begin with it.
    set_script_prefix(prefix)


@pytest.fixture
def api_key(db: None) -> str:
    project = ProjectFactory(slug="acme")
    return api_key_for(MembershipFactory(project=project, role_name="operator"))


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What becomes of connections; closing one would end the test's own transaction."""
    seen: list[str] = []
    monkeypatch.setattr(
        connections["default"],
        "close_if_unusable_or_obsolete",
        lambda: seen.append("looked after"),
    )

    def note(**_: Any) -> None:
        seen.append("signal")

    signals.request_started.connect(note)
    signals.request_finished.connect(note)
    yield seen
    signals.request_started.disconnect(note)
    signals.request_finished.disconnect(note)


def test_a_plain_refusal_comes_whole_without_signals(ask: Ask, db: None, closed: list[str]) -> None:
    status, headers, answer = ask("POST", CHAT, b"{}")
    assert status == "401 Unauthorized"
    assert isinstance(answer, list)
    assert json.loads(b"".join(answer))["error"]["type"] == "authentication_error"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Request-Id"]
    assert closed == ["looked after"]


def test_every_other_answer_comes_whole_too_by_the_long_way(
    ask: Ask, db: None, closed: list[str]
) -> None:
    status, _, answer = ask("GET", "/healthz")
    assert (status, isinstance(answer, list)) == ("200 OK", True)
    assert "signal" in closed
    assert ask("GET", f"{CHAT}/")[0].startswith("404")
    assert ask("POST", CHAT, SCRIPT_NAME="/below")[0].startswith("401")


def test_a_fault_in_middleware_is_a_500(
    ask: Ask, db: None, closed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("intmod_site.middleware.choose_request_id", crash)
    assert ask("POST", CHAT, b"{}")[0].startswith("500")


def test_a_stream_comes_piece_by_piece_and_ends_with_its_close(
    ask: Ask, api_key: str, monkeypatch: pytest.MonkeyPatch, closed: list[str]
) -> None:
    with scripted(monkeypatch):
        register_model(
            actor=ACTOR,
            project=Project.objects.get(slug="acme"),
            model_name="smol",
            model_type="llm",
            provider="local",
            provider_model="smollm2-135m-instruct",
            tasks=["chat"],
        )
        body = {"model": "smol", "messages": [{"role": "user", "content": "Hi"}]}
        key = {"HTTP_AUTHORIZATION": f"Bearer {api_key}"}
        status, _, answer = ask("POST", CHAT, json.dumps(body).encode(), **key)
        assert (status, isinstance(answer, list)) == ("200 OK", True)
        status, headers, answer = ask(
            "POST", CHAT, json.dumps({**body, "stream": True}).encode(), **key
        )
        assert status == "200 OK"
        assert headers["Content-Type"] == "text/event-stream"
        pieces = list(answer)
        assert len(pieces) > 1
        assert pieces[-1] == b"data: [DONE]\n\n"
        closed.clear()
        answer.close()
    assert "looked after" in closed
