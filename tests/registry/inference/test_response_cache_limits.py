"""How far kept answers reach: policies, times, sizes, other projects, and what they cost."""

import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any

import pytest
import time_machine
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from authz.models import Project
from registry.catalog.versions import update_version
from registry.inference import response_cache
from registry.inference.calls import Call, Result
from registry.inference.response_cache import MAX_BYTES, tidy
from registry.models import CachedAnswer, InferenceRecord
from tests.api_client import ApiClient
from tests.factories.authz import ACTOR, MembershipFactory, api_key_for
from tests.factories.integrations import IntegrationFactory
from tests.registry.conftest import Register
from tests.registry.inference.conftest import UPSTREAM_KEY, ServeModel
from tests.registry.inference.events import ask_for_stream
from tests.registry.inference.raw_upstream import COMPLETION, completing
from tests.registry.inference.scripted_provider import ScriptedProvider, hello
from tests.registry.inference.test_policies import attach
from tests.registry.inference.test_response_cache import BODY, ask, cache_header

OTHER_MODELS_ONLY = {"validation_rules": {"model": {"one_of": ["another"]}}}


def saying(text: str) -> Any:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    return completing({**COMPLETION, "choices": [choice]})


def test_an_integrations_policy_counts_for_kept_answers(
    project: Project, serve_model: ServeModel, developer: ApiClient
) -> None:
    server = serve_model(completing(), cache_ttl_s=60)
    ask(developer)
    attach(project, OTHER_MODELS_ONLY, "remote", "integration")
    for body in (BODY, {**BODY, "stream": True}):
        details = developer.refused(403, "POST", "ai/generate", body)["error_details"]
        assert details["code"] == "policy_denied"
    refusal = InferenceRecord.objects.latest("id")
    assert (refusal.status, refusal.from_cache) == (403, False)
    assert len(server.requests) == 1


def test_an_integrations_policy_that_allows_lets_kept_answers_through(
    project: Project, serve_model: ServeModel, developer: ApiClient
) -> None:
    server = serve_model(completing(), cache_ttl_s=60)
    attach(
        project,
        {"validation_rules": {"model": {"one_of": ["upstream-model"]}}},
        "remote",
        "integration",
    )
    assert [cache_header(ask(developer)) for _ in range(2)] == ["miss", "hit"]
    assert cache_header(ask_for_stream(developer, max_tokens=20)) == "hit"
    assert len(server.requests) == 1


def test_a_shorter_time_counts_for_what_is_kept(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    server = serve_model(completing(), cache_ttl_s=3600)
    with time_machine.travel("2026-11-20T12:00:00Z", tick=False):
        ask(developer)
    version: Any = server.version  # type: ignore[attr-defined]
    update_version(actor=ACTOR, version=version, changes={"cache_ttl_s": 60})
    with time_machine.travel("2026-11-20T12:30:00Z", tick=False):
        assert cache_header(ask(developer)) == "miss"


@pytest.mark.parametrize("said", ["No-Cache", "NO-CACHE", "max-age=0, no-cache", 'no-cache="x"'])
def test_who_will_have_a_fresh_answer_gets_one(
    serve_model: ServeModel, developer: ApiClient, said: str
) -> None:
    serve_model(completing(), cache_ttl_s=60)
    ask(developer)
    assert cache_header(ask(developer, headers={"Cache_Control": said})) == "miss"
    assert cache_header(ask(developer, headers={"Cache_Control": "x-no-cache"})) == "hit"


def test_the_size_of_an_answer_is_counted_in_bytes(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    serve_model(saying("€" * (MAX_BYTES // 2)), cache_ttl_s=60)
    ask(developer)
    assert not CachedAnswer.objects.exists()
    serve_model(saying("€" * (MAX_BYTES // 4)), "shorter", cache_ttl_s=60)
    ask(developer, model="shorter")
    assert CachedAnswer.objects.count() == 1


def test_answers_that_expire_together_are_bounded_one_by_one(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    serve_model(completing(), cache_ttl_s=60)
    serve_model(completing(), "quiet", cache_ttl_s=60)
    with time_machine.travel("2026-11-20T12:00:00Z", tick=False):
        ask(developer, model="quiet")
        for number in range(5):
            ask(developer, prompt=str(number))
        tidy(most=3)
        assert CachedAnswer.objects.count() == 1 + 3
        tidy(most=3)
        assert CachedAnswer.objects.count() == 1 + 3


def test_what_expired_goes_after_so_many_answers(
    serve_model: ServeModel, developer: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(response_cache, "_answers_kept", count(1))
    monkeypatch.setattr(response_cache, "TIDIED_EVERY", 3)
    serve_model(completing(), cache_ttl_s=60)
    with time_machine.travel("2026-11-20T12:00:00Z", tick=False):
        for number in range(2):
            ask(developer, prompt=str(number))
    with time_machine.travel("2026-11-20T13:00:00Z", tick=False):
        ask(developer, prompt="later")
    assert CachedAnswer.objects.count() == 1


def test_another_project_asks_for_itself(
    serve_model: ServeModel, developer: ApiClient, register: Register, other_project: Project
) -> None:
    server = serve_model(completing(), cache_ttl_s=60)
    ask(developer)
    register(
        "remote",
        project=other_project,
        provider="openai",
        provider_model="upstream-model",
        integration=IntegrationFactory(
            project=other_project, name="remote", base_url=server.url("/v1"), api_key=UPSTREAM_KEY
        ),
        cache_ttl_s=60,
    )
    member = MembershipFactory(project=other_project, role_name="developer")
    stranger = ApiClient(api_key_for(member))
    assert [cache_header(ask(stranger)) for _ in range(2)] == ["miss", "hit"]
    assert len(server.requests) == 2
    assert CachedAnswer.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_those_who_ask_together_all_get_an_answer_and_one_is_kept(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    serve_model(completing(), cache_ttl_s=60)
    together = threading.Barrier(6)

    def one(_: int) -> str | None:
        try:
            together.wait(timeout=60)
            return cache_header(ask(ApiClient(developer.credential)))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(one, range(6))) <= {"miss", "hit"}
    assert CachedAnswer.objects.count() == 1
    assert cache_header(ask(developer)) == "hit"


def test_looking_and_keeping_cost_one_statement_each(
    register: Register,
    developer: ApiClient,
    provider: ScriptedProvider,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(response_cache, "_answers_kept", count(1))
    register(cache_ttl_s=60)
    body = {"model": "smol", "prompt": "Hi"}
    developer.ok("POST", "ai/generate", {**body, "prompt": "Warm"})
    before: list[str] = []

    def note(call: Call) -> Result:
        before.extend(query["sql"] for query in missed.captured_queries)
        return hello(call)

    provider.answer = note
    with CaptureQueriesContext(connection) as missed:
        developer.ok("POST", "ai/generate", body)
    assert ["cachedanswer" in sql for sql in before] == [False, True]
    after = [query["sql"] for query in missed.captured_queries[len(before) :]]
    assert len([sql for sql in after if "cachedanswer" in sql]) == 1
    with CaptureQueriesContext(connection) as hit:
        developer.ok("POST", "ai/generate", body)
    asked = [query["sql"] for query in hit.captured_queries]
    assert ["cachedanswer" in sql for sql in asked[:2]] == [False, True]
    assert not [sql for sql in asked[2:] if "cachedanswer" in sql]
