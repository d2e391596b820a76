"""OpenAI's API over the wire: what is taken, what is refused, what comes back."""

import base64
import json
import struct
from typing import Any

import pytest

from registry.inference import gateway
from registry.models import InferenceRecord
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for
from tests.registry.conftest import Register
from tests.registry.inference.conftest import ServeModel
from tests.registry.inference.events import events
from tests.registry.inference.raw_upstream import (
    COMPLETION,
    HELLO,
    ROLE,
    completing,
    delta,
    event,
    hang_up,
    refused,
    stream_then,
    streaming,
)

PATH = "/v1/chat/completions"
MESSAGES = [{"role": "user", "content": "Hi"}]
BODY = {"model": "remote", "messages": MESSAGES}


def sent(server: Any) -> Any:
    """Give the body of the last request that the upstream got."""
    return json.loads(server.requests[-1].partition(b"\r\n\r\n")[2])


def ask(api: ApiClient, status: int = 200, path: str = PATH, **body: Any) -> Any:
    response = api.call("POST", path, {**BODY, **body} if path == PATH else body)
    assert response.status_code == status, response.content
    return json.loads(response.content)


def test_a_completion_is_what_the_clients_read(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    server = serve_model(completing())
    answer = ask(developer)
    assert answer.pop("id").startswith("chatcmpl-")
    assert answer.pop("created") > 1_700_000_000
    assert answer == {
        "object": "chat.completion",
        "model": "remote:1",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello.", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 9,
            "completion_tokens": 4,
            "total_tokens": 13,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0},
        },
    }
    assert sent(server)["max_tokens"] == 4096
    record = InferenceRecord.objects.get()
    assert (record.task, record.model, record.input_tokens) == ("chat", "remote", 9)


def test_everything_that_can_be_said_reaches_the_provider(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    server = serve_model(completing())
    function = {"name": "look", "description": "Looks.", "parameters": {"type": "object"}}
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    ask(
        developer,
        messages=[
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "What is this?"}, image]},
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "c1", "content": "A cat."},
        ],
        tools=[{"type": "function", "function": function}],
        tool_choice={"type": "function", "function": {"name": "look"}},
        parallel_tool_calls=False,
        max_completion_tokens=77,
        temperature=0.5,
        top_p=0.9,
        seed=7,
        stop=["\n"],
        frequency_penalty=0.1,
        presence_penalty=0.2,
        reasoning_effort="low",
        user="u1",
        n=1,
        stream=False,
        store=False,
        logprobs=False,
        metadata={"a": "b"},
        service_tier="auto",
    )
    body = sent(server)
    assert [turn["role"] for turn in body["messages"]] == ["system", "user", "assistant", "tool"]
    assert body["messages"][1]["content"][1] == image
    assert body["messages"][2]["tool_calls"] == [call]
    assert body["messages"][3] == {"role": "tool", "content": "A cat.", "tool_call_id": "c1"}
    assert body["tools"] == [{"type": "function", "function": function}]
    assert body["tool_choice"] == {"type": "function", "function": {"name": "look"}}
    assert {
        name: body[name] for name in ("max_tokens", "temperature", "top_p", "seed", "user")
    } == {
        "max_tokens": 77,
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 7,
        "user": "u1",
    }
    assert (body["frequency_penalty"], body["presence_penalty"]) == (0.1, 0.2)
    assert (body["reasoning_effort"], body["parallel_tool_calls"]) == ("low", False)


@pytest.mark.parametrize(
    ("changes", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": "Hi"}, "messages"),
        ({"messages": [{"role": "king", "content": "Hi"}]}, "messages.0.role"),
        ({"messages": [{"role": "user"}]}, "messages.0.content"),
        (
            {"messages": [{"role": "user", "content": [{"type": "video"}]}]},
            "messages.0.content.0.type",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
            "messages.0.content.0.text",
        ),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages.0.tool_call_id"),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": "x",
                        "tool_calls": [{"id": "1", "function": {"name": "a", "arguments": ""}}],
                    }
                ]
            },
            "messages.0.tool_calls",
        ),
        # A type that no set can be asked for.
        (
            {"messages": [{"role": "user", "content": [{"type": []}]}]},
            "messages.0.content.0.type",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": {}}]}]},
            "messages.0.content.0.type",
        ),
        ({"temperature": 3}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": 5000}, "max_tokens"),
        ({"max_completion_tokens": 5000}, "max_completion_tokens"),
        ({"max_tokens": 1, "max_completion_tokens": 1}, "max_tokens"),
        ({"n": 2}, "n"),
        ({"logprobs": True}, "logprobs"),
        ({"store": True}, "store"),
        ({"logit_bias": {}}, "logit_bias"),
        ({"functions": []}, "functions"),
        ({"model": 1}, "model"),
        ({"response_format": {"type": "json_schema"}}, "response_format.json_schema"),
        (
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "a", "schema": {"type": "x"}},
                }
            },
            "response_format",
        ),
        (
            {"tools": [{"type": "function", "function": {"name": "no spaces"}}]},
            "tools.0.function.name",
        ),
    ],
)
def test_what_cannot_be_asked_is_named(
    serve_model: ServeModel, developer: ApiClient, changes: dict[str, Any], param: str
) -> None:
    server = serve_model(completing())
    error = ask(developer, 400, **changes)["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert isinstance(error["code"], str)
    assert not server.requests
    assert InferenceRecord.objects.get().status == 400


def test_chunks_are_what_the_clients_read(serve_model: ServeModel, developer: ApiClient) -> None:
    serve_model(streaming(*HELLO))
    response: Any = developer.call("POST", PATH, {**BODY, "stream": True})
    assert response.headers["Content-Type"] == "text/event-stream"
    raw = b"".join(response.streaming_content)
    assert raw.endswith(b"data: [DONE]\n\n")
    chunks = [data for _, data in events([raw.removesuffix(b"data: [DONE]\n\n")])]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in chunks}) == 1
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks]
    assert deltas[0] == {"role": "assistant", "content": "", "refusal": None}
    assert [piece.get("content") for piece in deltas[1:]] == ["Hel", "lo.", None]
    assert chunks[-1]["choices"][0]["finish_reason"] == "stop"
    assert not [chunk for chunk in chunks if "usage" in chunk], "nobody asked for it"


def test_the_usage_comes_where_it_was_asked_for(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    serve_model(streaming(*HELLO))
    options = {"stream": True, "stream_options": {"include_usage": True}}
    response: Any = developer.call("POST", PATH, {**BODY, **options})
    raw = b"".join(response.streaming_content).removesuffix(b"data: [DONE]\n\n")
    *chunks, last = [data for _, data in events([raw])]
    assert {chunk["usage"] for chunk in chunks} == {None}
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] == 13


def test_a_broken_stream_ends_in_an_error_and_never_in_done(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    serve_model(stream_then(ROLE, delta("Hel"), then=hang_up))
    response: Any = developer.call("POST", PATH, {**BODY, "stream": True})
    raw = b"".join(response.streaming_content)
    assert b"[DONE]" not in raw
    *_, (_, last) = events([raw])
    assert last["error"]["code"] == "upstream_reset"
    assert last["error"]["type"] == "server_error"


def test_tool_calls_stream_piece_by_piece(serve_model: ServeModel, developer: ApiClient) -> None:
    def piece(arguments: str, **more: Any) -> bytes:
        said = {"index": 0, "function": {"arguments": arguments, **more.pop("function", {})}}
        return event(
            choices=[{"index": 0, "delta": {"tool_calls": [said | more]}, "finish_reason": None}]
        )

    serve_model(
        streaming(
            piece("", id="c1", function={"name": "look"}),
            piece('{"a":'),
            piece("1}"),
            delta(finish="tool_calls"),
            b"data: [DONE]\n\n",
        )
    )
    response: Any = developer.call("POST", PATH, {**BODY, "stream": True})
    raw = b"".join(response.streaming_content).removesuffix(b"data: [DONE]\n\n")
    calls = [
        data["choices"][0]["delta"]["tool_calls"][0]
        for _, data in events([raw])
        if "tool_calls" in data["choices"][0]["delta"]
    ]
    assert calls[0]["id"] == "c1"
    assert calls[0]["function"]["name"] == "look"
    assert "".join(call["function"]["arguments"] for call in calls) == '{"a":1}'


@pytest.mark.parametrize(
    ("script", "status", "retry"),
    [
        (refused("400 Bad", "no"), 400, "false"),
        (refused("401 No", "no"), 502, "false"),
        (refused("429 Too Many", "slow", headers="Retry-After: 2"), 429, "true"),
        (refused("429 Too Many", "slow", headers="Retry-After: 3600"), 429, "false"),
        (refused("500 Oops", "no"), 502, "false"),
    ],
)
def test_refusals_say_whether_to_come_back(
    serve_model: ServeModel, developer: ApiClient, script: Any, status: int, retry: str
) -> None:
    serve_model(script)
    response = developer.call("POST", PATH, BODY)
    assert (response.status_code, response.headers["x-should-retry"]) == (status, retry)
    assert response.headers["x-request-id"]
    if status == 429:
        assert (
            int(response.headers["retry-after-ms"]) == int(response.headers["Retry-After"]) * 1000
        )


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("POST", "/v1/nothing", 404, "unknown_route"),
        ("GET", "/v1", 404, "unknown_route"),
        ("GET", "/v1/", 404, "unknown_route"),
        ("GET", "/v1/models/%00", 400, "malformed_json"),
        ("GET", "/v1/chat%0Acompletions", 404, "unknown_route"),
        ("GET", PATH, 405, "method_not_allowed"),
        ("POST", "/v1/models", 405, "method_not_allowed"),
        ("GET", "/v1/models?x=1", 400, None),
        ("GET", "/v1/models/none", 404, "model_not_found"),
    ],
)
def test_what_is_not_served_is_refused_in_its_shape(
    developer: ApiClient, method: str, path: str, status: int, code: str | None
) -> None:
    response = developer.call(method, path)
    assert response.status_code == status
    error = json.loads(response.content)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert code is None or error["code"] == code


def test_only_what_lies_below_it_is_refused_in_its_shape(developer: ApiClient) -> None:
    assert developer.call("GET", "/v1x").headers["Content-Type"].startswith("text/html")


def test_fields_that_are_null_ask_for_nothing(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    server = serve_model(completing())
    ask(developer, logit_bias=None, top_logprobs=None, functions=None, audio=None, verbosity=None)
    assert set(sent(server)) == {"model", "messages", "max_tokens"}


def test_what_is_too_large_or_our_own_fault_is_refused_in_its_shape(
    serve_model: ServeModel,
    developer: ApiClient,
    settings: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    serve_model(completing())
    settings.REQUEST_BODY_LIMIT_BYTES = 2000
    error = ask(developer, 413, messages=[{"role": "user", "content": "x" * 3000}])["error"]
    assert (error["type"], error["code"]) == ("invalid_request_error", "payload_too_large")

    def broken(asked: Any) -> Any:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(gateway, "answer", broken)
    error = ask(developer, 500)["error"]
    assert (error["type"], error["code"]) == ("server_error", "internal_error")
    assert "secret" not in error["message"]


def test_a_repeated_request_is_answered_once(serve_model: ServeModel, developer: ApiClient) -> None:
    server = serve_model(streaming(*HELLO))
    said = []
    for _ in range(2):
        response: Any = developer.call("POST", PATH, {**BODY, "stream": True}, Idempotency_Key="k")
        said.append(response.getvalue())
    assert said[0] == said[1]
    assert said[0].endswith(b"data: [DONE]\n\n")
    assert len(server.requests) == 1


def test_who_may_not_call_is_refused_in_its_shape(developer: ApiClient, project: Any) -> None:
    response = ApiClient().call("POST", PATH, BODY)
    assert response.status_code == 401
    assert json.loads(response.content)["error"]["type"] == "authentication_error"
    viewer = ApiClient(api_key_for(MembershipFactory(project=project, role_name="viewer")))
    response = viewer.call("POST", PATH, BODY)
    assert response.status_code == 403
    raw = developer.call("POST", PATH, raw=b'{"a":', content_type="application/json")
    assert (raw.status_code, json.loads(raw.content)["error"]["code"]) == (400, "malformed_json")
    form = developer.call("POST", PATH, raw=b"a=1", content_type="text/plain")
    assert form.status_code == 415


# ── Embeddings and models ─────────────────────────────────────────────────────────────────────


def embedded(text: str) -> dict[str, Any]:
    packed = base64.b64encode(struct.pack("<3f", 1, 0, 0)).decode()
    return {"data": [{"index": 0, "embedding": packed}], "usage": {"prompt_tokens": 3}}


def test_embeddings_come_as_floats_and_in_base64(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    server = serve_model(completing(embedded("a")), tasks=["embed"])
    fields = {"model": "remote", "input": "a"}
    answer = ask(developer, path="/v1/embeddings", **fields)
    assert answer["data"] == [{"object": "embedding", "index": 0, "embedding": [1, 0, 0]}]
    assert answer["usage"] == {"prompt_tokens": 3, "total_tokens": 3}
    answer = ask(developer, path="/v1/embeddings", encoding_format="base64", dimensions=3, **fields)
    packed = base64.b64decode(answer["data"][0]["embedding"])
    assert struct.unpack("<3f", packed) == (1, 0, 0)
    assert sent(server)["dimensions"] == 3


@pytest.mark.parametrize("given", ["", [], [""], [1, 2], None, ["a"] * 2049])
def test_what_cannot_be_embedded_is_refused(developer: ApiClient, given: Any) -> None:
    error = ask(developer, 400, path="/v1/embeddings", model="remote", input=given)["error"]
    assert error["param"].startswith("input")


def test_models_are_those_that_can_be_called(
    serve_model: ServeModel, register: Register, developer: ApiClient, other_project: Any
) -> None:
    serve_model(completing(COMPLETION))
    register("analyst", provider_model="text-analysis", tasks=["analyze"])
    register("theirs", project=other_project)
    response = developer.call("GET", "/v1/models")
    (row,) = json.loads(response.content)["data"]
    assert (row["id"], row["object"], row["owned_by"]) == ("remote", "model", "shop")
    for reference in ("remote", "remote:1", "remote-1"):
        response = developer.call("GET", f"/v1/models/{reference}")
        assert json.loads(response.content)["id"] == reference
    assert developer.call("GET", "/v1/models/theirs").status_code == 404
    assert developer.call("GET", "/v1/models/analyst").status_code == 400
