"""An Idempotency-Key on calls of models: answered once, at once or in pieces."""

import json
from contextvars import copy_context
from typing import Any

import pytest

from authz.models.kernel import IdempotencyRecord
from registry.inference.calls import Call, Result
from tests.api_client import ApiClient
from tests.registry.conftest import Register
from tests.registry.inference.ai_routes import BODIES, answer, register_for
from tests.registry.inference.conftest import ServeModel
from tests.registry.inference.events import events, leave
from tests.registry.inference.raw_upstream import (
    HELLO,
    ROLE,
    completing,
    delta,
    hang_up,
    refused,
    stream_then,
    streaming,
)
from tests.registry.inference.scripted_provider import ScriptedProvider

BODY = {"model": "remote", "prompt": "Hi", "max_tokens": 20}
STREAM = {**BODY, "stream": True}


def post(api: ApiClient, body: dict[str, Any], key: str = "one") -> Any:
    return api.call("POST", "ai/generate", body, Idempotency_Key=key)


def test_a_call_is_asked_and_billed_once(serve_model: ServeModel, developer: ApiClient) -> None:
    server = serve_model(completing())
    first, again = post(developer, BODY), post(developer, BODY)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true"
    assert len(server.requests) == 1
    assert post(developer, {**BODY, "prompt": "Other"}).status_code == 422


@pytest.mark.parametrize("path", BODIES)
def test_every_route_answers_once_and_tells_what_does_not_go_together(
    register: Register, developer: ApiClient, provider: ScriptedProvider, path: str
) -> None:
    register_for(path, register)
    body = {"model": "model", **BODIES[path]}
    meanwhile: list[Any] = []

    def ask(**more: Any) -> Any:
        return developer.call("POST", path, body | more, Idempotency_Key="one")

    def asked_again_meanwhile(call: Call) -> Result:
        # Another request has a context of its own.
        meanwhile.append(copy_context().run(ask))
        return answer(call)

    provider.answer = asked_again_meanwhile
    first, again = ask(), ask()
    assert (first.status_code, again.status_code) == (200, 200), first.content
    assert (again.content, again.headers["Idempotent-Replayed"]) == (first.content, "true")
    (in_flight,) = meanwhile
    assert (in_flight.status_code, in_flight.headers["Retry-After"]) == (409, "1")
    other = ask(model="another")
    assert other.status_code == 422
    assert len(provider.calls) == 1
    for refused_one in (in_flight, other):
        said = json.loads(refused_one.content)
        assert ("error_details" in said) is path.startswith("ai/"), "each in its own shape"


def test_a_stream_is_replayed_whole(serve_model: ServeModel, developer: ApiClient) -> None:
    server = serve_model(streaming(*HELLO))
    first = b"".join(post(developer, STREAM).streaming_content)
    again = post(developer, STREAM)
    assert again.content == first
    assert again.headers["Content-Type"] == "text/event-stream"
    assert [name for name, _ in events([again.content])] == ["delta", "delta", "result"]
    assert len(server.requests) == 1
    stored = bytes(IdempotencyRecord.objects.get().body or b"")
    assert b"Hel" not in stored, "kept in the clear"


def test_while_a_stream_runs_its_key_is_taken(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    serve_model(streaming(*HELLO))
    running = post(developer, STREAM)
    refusal = post(developer, STREAM)
    assert refusal.status_code == 409
    assert refusal.headers["Retry-After"]
    b"".join(running.streaming_content)
    assert post(developer, STREAM).status_code == 200


@pytest.mark.parametrize("end", ["broken", "left", "refused"])
def test_what_did_not_end_well_may_be_tried_again(
    serve_model: ServeModel, developer: ApiClient, end: str
) -> None:
    server = serve_model(
        refused("500 Oops", "oops")
        if end == "refused"
        else stream_then(ROLE, delta("Hel"), then=hang_up)
    )
    response = post(developer, STREAM)
    if end == "broken":
        b"".join(response.streaming_content)
    elif end == "left":
        leave(response)
    assert not IdempotencyRecord.objects.exists()
    again = post(developer, STREAM)
    assert len(server.requests) == 2
    if again.streaming:
        leave(again)
