"""Texts, keys and headers of calls are nowhere but where they belong: planted, then looked for."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client

from authz.models import Project
from intmod_site.logs import JSONFormatter
from registry.inference import upstream
from registry.models import CachedAnswer, InferenceRecord
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, UserFactory, api_key_for
from tests.registry.inference.conftest import UPSTREAM_KEY, ServeModel
from tests.registry.inference.events import ask_for_stream, leave, read
from tests.registry.inference.raw_upstream import (
    COMPLETION,
    COUNTED,
    DONE,
    STOP,
    completing,
    delta,
    hang_up,
    refused,
    stream_then,
    streaming,
)

PROMPT = "canary-prompt-7f3a"
SYSTEM = "canary-system-91bc"
ANSWER = "canary-answer-c0de"
TEXTS = (PROMPT, SYSTEM, ANSWER)


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """Every line that any logger writes, as it would be written."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(JSONFormatter().format(record))

    handler = Keep(level=logging.DEBUG)
    root = logging.getLogger()
    caplog.set_level(logging.DEBUG)
    root.addHandler(handler)
    yield lines
    root.removeHandler(handler)


def everything_stored() -> dict[str, str]:
    """Give each table's rows as text."""
    stored = {}
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            rows = [
                [bytes(value) if isinstance(value, memoryview) else value for value in row]
                for row in cursor.fetchall()
            ]
            stored[table] = repr(rows)
    return stored


def call_in_every_way(api: ApiClient, serve_model: ServeModel, **fields: Any) -> None:
    """Make calls that succeed, fail, break off and are left."""
    body = {"prompt": PROMPT, "system": SYSTEM, "max_tokens": 20}
    message = {"role": "assistant", "content": ANSWER}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    echo = f"cannot take {PROMPT}, {ANSWER}, {UPSTREAM_KEY}"
    scripts = {
        "whole": completing({**COMPLETION, "choices": [choice]}),
        "streamed": streaming(delta(ANSWER), STOP, COUNTED, DONE),
        "broken": stream_then(delta(ANSWER), then=hang_up),
        "left": streaming(delta(ANSWER), STOP, DONE),
        "refused": refused("400 Bad", echo),
        "failed": refused("500 Oops", echo),
        "denied": refused("401 No", echo),
    }
    for name, script in scripts.items():
        serve_model(script, name, **fields)
    api.ok("POST", "ai/generate", {"model": "whole", **body}, Idempotency_Key="k1")
    read(ask_for_stream(api, model="streamed", **body))
    read(ask_for_stream(api, model="broken", **body))
    leave(ask_for_stream(api, model="left", **body))
    for name, status in (("refused", 400), ("failed", 502), ("denied", 502)):
        envelope = api.refused(status, "POST", "ai/generate", {"model": name, **body})
        assert UPSTREAM_KEY not in str(envelope)
    api.refused(400, "POST", "ai/generate", {"model": "whole", **body, "oops": PROMPT})
    api.refused(404, "POST", "ai/generate", {"model": "none", **body})
    api.call("POST", "ai/generate", raw=f'{{"prompt": "{PROMPT}'.encode())


def crash(*said: Any) -> None:
    raise RuntimeError(f"A bug, with {PROMPT} and {UPSTREAM_KEY} in its message.")


@pytest.fixture
def credential(project: Project) -> str:
    return api_key_for(MembershipFactory(project=project, role_name="developer"))


@pytest.mark.parametrize("cache_ttl_s", [None, 60])
def test_texts_are_nowhere_by_default(
    serve_model: ServeModel,
    credential: str,
    logged: list[str],
    monkeypatch: pytest.MonkeyPatch,
    cache_ttl_s: int | None,
) -> None:
    api = ApiClient(credential)
    call_in_every_way(api, serve_model, cache_ttl_s=cache_ttl_s)
    assert CachedAnswer.objects.count() == (2 if cache_ttl_s else 0)
    monkeypatch.setattr(upstream, "check_text", crash)
    envelope = api.refused(500, "POST", "ai/generate", {"model": "whole", "prompt": PROMPT})
    assert PROMPT not in str(envelope)
    canaries = (*TEXTS, UPSTREAM_KEY, credential)
    assert InferenceRecord.objects.count() >= 9
    for table, rows in everything_stored().items():
        assert not [canary for canary in canaries if canary in rows], table
    assert logged
    for line in logged:
        assert not [canary for canary in canaries if canary in line], line
    metrics = Client().get(
        "/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"}
    )
    assert b"gen_ai_client_operation_duration_seconds" in metrics.content
    assert not [canary for canary in canaries if canary.encode() in metrics.content]
    staff = Client()
    staff.force_login(UserFactory(is_staff=True, is_superuser=True))
    for page in ("", "registry/inferencerecord/", "integrations/integration/", "authz/auditevent/"):
        response = staff.get(f"/admin/{page}")
        assert response.status_code == 200
        html = response.content.decode()
        assert not [canary for canary in canaries if canary in html], page


def test_where_a_version_keeps_texts_they_are_in_its_records_only(
    serve_model: ServeModel, credential: str, logged: list[str]
) -> None:
    call_in_every_way(ApiClient(credential), serve_model, body_logging="redacted")
    stored = everything_stored()
    kept = stored.pop("registry_inferencerecord")
    assert all(text in kept for text in TEXTS)
    assert UPSTREAM_KEY not in kept
    assert credential not in kept
    for table, rows in stored.items():
        assert not [text for text in (*TEXTS, UPSTREAM_KEY, credential) if text in rows], table
    assert not [line for line in logged if any(text in line for text in TEXTS)]
