"""Security policies on calls: before anything leaves, at no further query, on record."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authz.models import AuditEvent, Project, SecurityPolicy
from authz.policies.services import attach_policy, create_policy, update_policy
from registry.catalog.routes import create_route
from registry.inference.calls import Call, Result
from registry.models import InferenceRecord
from tests.api_client import ApiClient
from tests.factories.authz import ACTOR
from tests.registry.conftest import Register
from tests.registry.inference.conftest import ServeModel
from tests.registry.inference.events import ask_for_stream, read
from tests.registry.inference.raw_upstream import HELLO, completing, refused, streaming
from tests.registry.inference.scripted_provider import ScriptedProvider, hello

BODY = {"model": "smol", "prompt": "s3cret"}
FORBIDDING = {"validation_rules": {"prompt": {"max_length": 3}}}


def attach(
    project: Project, rules: dict[str, Any], target: str = "smol:1", kind: str = "model_version"
) -> SecurityPolicy:
    name = f"p{SecurityPolicy.objects.count()}"
    policy = create_policy(actor=ACTOR, project=project, name=name, rules=rules)
    attach_policy(actor=ACTOR, policy=policy, kind=kind, target=target)
    return policy


def row() -> InferenceRecord:
    record: InferenceRecord = InferenceRecord.objects.latest("id")
    return record


def refusals() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action="policy.decide", outcome="denied").order_by("id"))


def test_what_a_policy_forbids_reaches_no_provider(
    project: Project, register: Register, developer: ApiClient, provider: ScriptedProvider
) -> None:
    version = register()
    attach(project, FORBIDDING)
    for body in (BODY, BODY | {"stream": True}):
        details = developer.refused(403, "POST", "ai/generate", body)["error_details"]
        assert details["code"] == "policy_denied"
        assert [field["path"] for field in details["fields"]] == ["/data/prompt"]
    assert provider.calls == []
    assert (row().status, row().error_code, row().policies) == (403, "policy_denied", "p0:1")
    assert row().cost_usd == 0
    first, _second = refusals()
    assert (first.object_type, first.object_id) == ("modelversion", str(version.pk))
    assert first.changes == {
        "policies": ["p0:1"],
        "reasons": [
            {
                "policy": "p0:1", "pointer": "/data/prompt",
                "rule": "/validation_rules/prompt/max_length",
            }
        ],
    }  # fmt: skip
    assert "s3cret" not in str([vars(event) for event in AuditEvent.objects.all()])


def test_what_it_allows_has_the_policys_version_on_its_row(
    project: Project, register: Register, developer: ApiClient, provider: ScriptedProvider
) -> None:
    register()
    policy = attach(project, {"paths": ["/ai/generate"], "methods": ["POST"]})
    attach(project, {"source_cidrs": ["127.0.0.0/8"]})
    developer.ok("POST", "ai/generate", BODY)
    assert row().policies == "p0:1 p1:1"
    developer.refused(403, "POST", "ai/chat", {"model": "smol", "messages": [
        {"role": "user", "content": "Hi"}]})  # fmt: skip
    update_policy(actor=ACTOR, policy=policy, changes={"rules": {"paths": ["/ai/*"]}})
    developer.ok("POST", "ai/generate", BODY)
    assert row().policies == "p0:2 p1:1"
    assert not AuditEvent.objects.filter(action="policy.decide", outcome="success").exists()


def test_deciding_asks_nothing_more_of_the_database(
    project: Project, register: Register, developer: ApiClient, provider: ScriptedProvider
) -> None:
    register()
    attach(project, {"required_fields": ["prompt"], "source_cidrs": ["127.0.0.1/32"]})
    developer.ok("POST", "ai/generate", BODY)
    before: list[str] = []

    def count(call: Call) -> Result:
        before.extend(query["sql"] for query in asked.captured_queries)
        return hello(call)

    provider.answer = count
    with CaptureQueriesContext(connection) as asked:
        developer.ok("POST", "ai/generate", BODY)
    assert len(before) == 1, before


def test_an_answer_that_is_kept_is_judged_like_a_new_one(
    project: Project, register: Register, developer: ApiClient, provider: ScriptedProvider
) -> None:
    register(cache_ttl_s=60)
    for _ in range(2):
        developer.ok("POST", "ai/generate", BODY | {"temperature": 0})
    assert len(provider.calls) == 1
    attach(project, FORBIDDING)
    developer.refused(403, "POST", "ai/generate", BODY | {"temperature": 0})


def test_every_surface_is_judged(
    project: Project, register: Register, developer: ApiClient, provider: ScriptedProvider
) -> None:
    register()
    attach(project, {"required_fields": ["reason"]})
    body = {"model": "smol", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9}
    for path in ("/v1/chat/completions", "/v1/messages"):
        assert developer.call("POST", path, body).status_code == 403, path
    assert provider.calls == []


def test_a_forbidden_fallback_is_passed_over(
    project: Project, serve_model: ServeModel, developer: ApiClient, provider: ScriptedProvider,
    register: Register,
) -> None:  # fmt: skip
    register("forbidden")
    register("fine")
    attach(project, FORBIDDING, "forbidden:1")
    serve_model(
        refused("500 Internal", "no"), fallbacks=[{"model": "forbidden"}, {"model": "fine"}]
    )
    answer = developer.ok("POST", "ai/generate", BODY | {"model": "remote"})
    assert answer["model"] == "fine"
    assert len(provider.calls) == 1
    assert [event.object_label for event in refusals()] == ["forbidden:1"]


def test_a_route_goes_to_those_that_may_be_asked(
    project: Project, register: Register, developer: ApiClient, provider: ScriptedProvider
) -> None:
    register("forbidden")
    register("fine")
    attach(project, FORBIDDING, "forbidden:1")
    targets = [{"model": "forbidden"}, {"model": "fine"}]
    create_route(actor=ACTOR, project=project, name="any", strategy="order", targets=targets)
    assert developer.ok("POST", "ai/generate", BODY | {"model": "any"})["model"] == "fine"
    attach(project, FORBIDDING, "fine:1")
    developer.refused(403, "POST", "ai/generate", BODY | {"model": "any"})
    assert len(provider.calls) == 1


def test_a_policy_on_the_integration_judges_what_goes_out(
    project: Project, serve_model: ServeModel, developer: ApiClient
) -> None:
    server = serve_model(completing())
    body = {"model": "remote", "prompt": "Hi"}
    rules = {"required_fields": ["messages"], "paths": ["/chat/completions"], "methods": ["POST"]}
    attach(project, rules, "remote", "integration")
    developer.ok("POST", "ai/generate", body)
    assert row().policies == "p0:1"
    attach(
        project, {"validation_rules": {"model": {"one_of": ["another"]}}}, "remote", "integration"
    )
    for stream in (False, True):
        developer.refused(403, "POST", "ai/generate", body | {"stream": stream})
    assert server.accepted == 1
    assert (row().status, row().policies) == (403, "p0:1 p1:1")
    assert [event.changes["reasons"][0]["pointer"] for event in refusals()] == ["/data/model"] * 2


def test_an_answer_that_is_too_long_is_not_given(
    project: Project, register: Register, developer: ApiClient, provider: ScriptedProvider
) -> None:
    register()
    policy = attach(project, {"max_response_bytes": 7})
    details = developer.refused(403, "POST", "ai/generate", BODY)["error_details"]
    assert details["fields"][0]["path"] == "/response"
    assert (row().status, row().output_tokens) == (403, 2), "it is paid for all the same"
    update_policy(actor=ACTOR, policy=policy, changes={"rules": {"max_response_bytes": 8}})
    developer.ok("POST", "ai/generate", BODY)


def test_an_answer_from_elsewhere_is_not_read_beyond_the_limit(
    project: Project, serve_model: ServeModel, developer: ApiClient
) -> None:
    serve_model(completing("Hello. " * 100))
    attach(project, {"max_response_bytes": 400}, "remote:1")
    details = developer.refused(403, "POST", "ai/generate", {"model": "remote", "prompt": "Hi"})
    assert details["error_details"]["code"] == "policy_denied"


@pytest.mark.parametrize(("limit", "last"), [(6, "result"), (5, "error")])
def test_a_stream_breaks_off_at_the_limit(
    project: Project, serve_model: ServeModel, developer: ApiClient, limit: int, last: str
) -> None:
    serve_model(streaming(*HELLO))
    attach(project, {"max_response_bytes": limit}, "remote:1")
    *_, (name, envelope) = read(ask_for_stream(developer))
    assert name == last
    assert last == "result" or envelope["error_details"]["code"] == "policy_denied"
    assert len(refusals()) == (last == "error")
