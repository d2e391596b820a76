"""Answers given again: only to the very same question, only where a version says so."""

from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.db import connection

from authz.limits.call_limits import create_call_limit
from authz.models import Project
from registry.catalog.versions import update_version
from registry.inference import response_cache
from registry.inference.calls import EmbedCall
from registry.inference.response_cache import tidy
from registry.models import CachedAnswer, InferenceRecord
from tests.api_client import ApiClient
from tests.factories.authz import ACTOR, MembershipFactory, api_key_for
from tests.registry.inference.conftest import ServeModel
from tests.registry.inference.events import ask_for_stream, leave, read
from tests.registry.inference.raw_upstream import (
    COMPLETION,
    COUNTED,
    DONE,
    HELLO,
    ROLE,
    completing,
    delta,
    event,
    hang_up,
    in_turn,
    refused,
    stream_then,
    streaming,
)
from tests.registry.inference.targets import target

BODY = {"model": "remote", "prompt": "Hi", "max_tokens": 20}


def ask(
    api: ApiClient, status: int = 200, headers: dict[str, str] | None = None, **body: Any
) -> Any:
    response = api.call("POST", "ai/generate", {**BODY, **body}, **(headers or {}))
    assert response.status_code == status, response.content
    return response


def cache_header(response: Any) -> str | None:
    return response.headers.get("X-Intmod-Cache")  # type: ignore[no-any-return]


def test_the_same_question_is_asked_once(serve_model: ServeModel, developer: ApiClient) -> None:
    server = serve_model(completing(), cache_ttl_s=60)
    first, again = ask(developer), ask(developer)
    assert (cache_header(first), cache_header(again)) == ("miss", "hit")
    assert first.json()["data"]["result"] == again.json()["data"]["result"] == "Hello."
    assert again.json()["data"]["usage"] == {"input_tokens": 9, "output_tokens": 4}
    assert float(again.json()["data"]["cost_usd"]) == 0
    assert len(server.requests) == 1
    fresh, cached = InferenceRecord.objects.order_by("id")
    assert (fresh.from_cache, cached.from_cache, cached.tries) == (False, True, 0)
    assert cached.cost_usd == 0


def test_without_being_asked_for_nothing_is_kept(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    server = serve_model(completing())
    assert [cache_header(ask(developer)) for _ in range(2)] == [None, None]
    assert len(server.requests) == 2
    assert not CachedAnswer.objects.exists()


@pytest.mark.parametrize(
    "other",
    [{"prompt": "Hi "}, {"max_tokens": 21}, {"temperature": 0.5}, {"system": "x"}, {"stop": "y"}],
)
def test_another_question_is_another(
    serve_model: ServeModel, developer: ApiClient, other: dict[str, Any]
) -> None:
    server = serve_model(completing(), cache_ttl_s=60)
    ask(developer)
    assert cache_header(ask(developer, **other)) == "miss"
    assert len(server.requests) == 2


def test_neither_another_version_nor_another_project_hits(
    serve_model: ServeModel, developer: ApiClient, other_project: Project, project: Project
) -> None:
    serve_model(completing(), cache_ttl_s=60)
    server = serve_model(completing(), "second", cache_ttl_s=60)
    ask(developer)
    assert cache_header(ask(developer, model="second")) == "miss"
    assert len(server.requests) == 1
    colleague = ApiClient(api_key_for(MembershipFactory(project=project, role_name="developer")))
    assert cache_header(ask(colleague)) == "hit"
    keys = set()
    for whose in (project, other_project):
        asked: Any = SimpleNamespace(principal=SimpleNamespace(project_id=whose.pk))
        keys.add(response_cache._key(asked, target(), EmbedCall(("a",))))
    assert len(keys) == 2


def test_a_changed_version_asks_anew(serve_model: ServeModel, developer: ApiClient) -> None:
    server = serve_model(completing(), cache_ttl_s=60)
    ask(developer)
    version: Any = server.version  # type: ignore[attr-defined]
    changes = {"parameters": {"system": "Be kind."}}
    update_version(actor=ACTOR, version=version, changes=changes)
    assert cache_header(ask(developer)) == "miss"


def test_it_expires_and_is_renewed_on_demand(serve_model: ServeModel, developer: ApiClient) -> None:
    server = serve_model(completing(), cache_ttl_s=60)
    with time_machine.travel("2026-11-20T12:00:00Z", tick=False):
        ask(developer)
    with time_machine.travel("2026-11-20T12:00:59Z", tick=False):
        assert cache_header(ask(developer)) == "hit"
        assert cache_header(ask(developer, headers={"Cache_Control": "no-cache"})) == "miss"
    with time_machine.travel("2026-11-20T12:01:30Z", tick=False):
        assert cache_header(ask(developer)) == "hit"
    with time_machine.travel("2026-11-20T12:03:00Z", tick=False):
        assert cache_header(ask(developer)) == "miss"
    assert len(server.requests) == 3


def filtered() -> dict[str, Any]:
    choice = {"index": 0, "finish_reason": "content_filter", "message": {"content": "No."}}
    return {**COMPLETION, "choices": [choice]}


@pytest.mark.parametrize(
    "script", [refused("500 Oops", "no"), refused("400 Bad", "no"), completing(filtered())]
)
def test_what_is_no_whole_answer_is_not_kept(
    serve_model: ServeModel, developer: ApiClient, script: Any
) -> None:
    server = serve_model(script, cache_ttl_s=60)
    for _ in range(2):
        developer.call("POST", "ai/generate", BODY)
    assert len(server.requests) == 2
    assert not CachedAnswer.objects.exists()


def test_streams_and_whole_answers_share_what_is_kept(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    server = serve_model(streaming(*HELLO), cache_ttl_s=60)
    assert read(ask_for_stream(developer, max_tokens=20))[-1][0] == "result"
    again = ask_for_stream(developer, max_tokens=20)
    assert cache_header(again) == "hit"
    *deltas, (last, envelope) = read(again)
    assert [data["text"] for _, data in deltas] == ["Hello."]
    assert (last, envelope["data"]["result"]) == ("result", "Hello.")
    assert cache_header(ask(developer)) == "hit"
    assert len(server.requests) == 1


def test_broken_and_abandoned_streams_are_not_kept(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    serve_model(stream_then(ROLE, delta("Hel"), then=hang_up), "broken", cache_ttl_s=60)
    serve_model(streaming(*HELLO), "left", cache_ttl_s=60)
    read(ask_for_stream(developer, model="broken"))
    leave(ask_for_stream(developer, model="left"))
    assert not CachedAnswer.objects.exists()


def test_tool_calls_are_given_again(serve_model: ServeModel, developer: ApiClient) -> None:
    call = {"index": 0, "id": "t1", "function": {"name": "look", "arguments": '{"a":1}'}}
    asking = event(choices=[{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}])
    serve_model(
        in_turn(streaming(asking, delta(finish="tool_calls"), COUNTED, DONE)), cache_ttl_s=60
    )
    tool = {"type": "function", "function": {"name": "look"}}
    body = {"model": "remote", "messages": [{"role": "user", "content": "x"}], "tools": [tool]}
    first: Any = developer.call("POST", "/v1/chat/completions", {**body, "stream": True})
    b"".join(first.streaming_content)
    again = developer.call("POST", "/v1/chat/completions", body)
    assert cache_header(again) == "hit"
    (asked,) = again.json()["choices"][0]["message"]["tool_calls"]
    assert asked["function"] == {"name": "look", "arguments": '{"a":1}'}


def test_hits_cost_no_budget(
    serve_model: ServeModel, developer: ApiClient, project: Project
) -> None:
    serve_model(completing(), cache_ttl_s=60)
    create_call_limit(actor=ACTOR, project=project, budget_usd="0.000063")
    for _ in range(5):
        ask(developer)
    ask(developer, 200, prompt="Hello")
    ask(developer, 429, prompt="Hallo")


def test_what_is_kept_is_not_readable(serve_model: ServeModel, developer: ApiClient) -> None:
    serve_model(completing(), cache_ttl_s=60)
    ask(developer, prompt="canary-prompt")
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM registry_cachedanswer")
        stored = str(cursor.fetchall())
    assert "Hello" not in stored
    assert "canary" not in stored
    row = CachedAnswer.objects.get()
    CachedAnswer.objects.filter(key=row.key).update(body=row.body[:-8] + "AAAAAAAA")
    assert cache_header(ask(developer, prompt="canary-prompt")) == "miss"
    assert cache_header(ask(developer, prompt="canary-prompt")) == "hit"


def test_what_is_kept_is_bounded(serve_model: ServeModel, developer: ApiClient) -> None:
    serve_model(completing(), cache_ttl_s=60)
    for number in range(5):
        ask(developer, prompt=str(number))
    tidy(most=3)
    assert CachedAnswer.objects.count() == 3
    assert cache_header(ask(developer, prompt="4")) == "hit"
    assert cache_header(ask(developer, prompt="0")) == "miss"
