"""Calls through a route: who is asked, who stands in, and what is on record."""

from collections import Counter
from typing import Any

import pytest

from authz.models import Project
from registry.catalog.routes import create_route
from registry.catalog.versions import deactivate_version
from registry.inference.in_flight import in_flight
from registry.models import InferenceRecord
from tests.api_client import ApiClient
from tests.factories.authz import ACTOR
from tests.registry.conftest import Register
from tests.registry.inference.conftest import ServeModel
from tests.registry.inference.events import ask_for_stream, read
from tests.registry.inference.raw_upstream import HELLO, completing, refused, streaming
from tests.registry.inference.scripted_provider import ScriptedProvider


@pytest.fixture
def spread(project: Project) -> Any:
    def create(*targets: dict[str, Any], **fields: Any) -> None:
        whole = {"name": "fast", "targets": list(targets), **fields}
        create_route(actor=ACTOR, project=project, **whole)

    return create


def answered_by(api: ApiClient, model: str = "fast") -> str:
    data = api.ok("POST", "ai/generate", {"model": model, "prompt": "Hi", "max_tokens": 5})
    return str(data["model"])


def test_calls_are_spread_by_weight(
    developer: ApiClient, register: Register, provider: ScriptedProvider, spread: Any
) -> None:
    register("a")
    register("b")
    spread({"model": "a", "weight": 1}, {"model": "b", "weight": 1}, {"model": "gone"})
    counts = Counter(answered_by(developer) for _ in range(40))
    assert set(counts) == {"a", "b"}
    assert set(InferenceRecord.objects.values_list("route", flat=True)) == {"fast"}


def test_a_route_goes_before_a_model_of_its_name(
    developer: ApiClient, register: Register, provider: ScriptedProvider, spread: Any
) -> None:
    register("fast")
    register("b")
    spread({"model": "b"})
    assert answered_by(developer) == "b"
    assert answered_by(developer, "fast:1") == "fast"
    assert answered_by(developer, "fast-1") == "fast"


def test_a_route_may_lead_to_the_model_of_its_own_name(
    developer: ApiClient, register: Register, provider: ScriptedProvider, spread: Any
) -> None:
    register("fast")
    spread({"model": "fast"})
    assert answered_by(developer) == "fast"


def test_the_next_stands_in_for_one_that_fails(
    developer: ApiClient, serve_model: ServeModel, spread: Any
) -> None:
    broken = serve_model(refused("500 Oops", "oops"), "a")
    serve_model(completing(), "b")
    spread({"model": "a", "order": 0}, {"model": "b", "order": 1}, strategy="order")
    assert answered_by(developer) == "b"
    assert len(broken.requests) == 1
    record = InferenceRecord.objects.get()
    assert (record.model, record.route, record.tries) == ("b", "fast", 2)


def test_a_callers_own_mistake_is_not_tried_on_the_next(
    developer: ApiClient, serve_model: ServeModel, spread: Any
) -> None:
    serve_model(refused("400 Bad", "no such parameter"), "a")
    other = serve_model(completing(), "b")
    spread({"model": "a", "order": 0}, {"model": "b", "order": 1}, strategy="order")
    body = {"model": "fast", "prompt": "Hi"}
    developer.refused(400, "POST", "ai/generate", body)
    assert not other.requests


def test_the_least_busy_answers(
    developer: ApiClient, register: Register, provider: ScriptedProvider, spread: Any
) -> None:
    busy = register("a")
    register("b")
    spread({"model": "a"}, {"model": "b"}, strategy="least_busy")
    in_flight.enter(busy.pk)
    try:
        assert {answered_by(developer) for _ in range(10)} == {"b"}
    finally:
        in_flight.leave(busy.pk)
    assert {answered_by(developer) for _ in range(40)} == {"a", "b"}


def test_streams_go_through_routes_and_count_until_they_end(
    developer: ApiClient, serve_model: ServeModel, spread: Any
) -> None:
    server = serve_model(streaming(*HELLO), "a")
    version = server.version  # type: ignore[attr-defined]
    spread({"model": "a"})
    response = ask_for_stream(developer, model="fast")
    assert in_flight.count(version.pk) == 1
    assert read(response)[-1][1]["data"]["model"] == "a"
    assert in_flight.count(version.pk) == 0


def test_without_anybody_to_ask_it_says_why(
    developer: ApiClient, register: Register, spread: Any
) -> None:
    spread({"model": "none"})
    developer.refused(404, "POST", "ai/generate", {"model": "fast", "prompt": "Hi"})
    version = register("a")
    deactivate_version(actor=ACTOR, version=version)
    spread({"model": "a"}, {"model": "none"}, name="other")
    developer.refused(409, "POST", "ai/generate", {"model": "other", "prompt": "Hi"})
