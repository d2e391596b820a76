"""Anthropic's API over the wire: what is taken, what is refused, what comes back."""

import json
from typing import Any

import pytest

from registry.models import InferenceRecord
from tests.api_client import ApiClient
from tests.registry.inference.conftest import ServeModel
from tests.registry.inference.events import events
from tests.registry.inference.raw_upstream import (
    COMPLETION,
    DONE,
    HELLO,
    ROLE,
    USAGE,
    completing,
    delta,
    event,
    hang_up,
    refused,
    stream_then,
    streaming,
)
from tests.registry.inference.surfaces.test_openai import sent

PATH = "/v1/messages"
VERSION = {"Anthropic_Version": "2023-06-01"}
BODY = {"model": "remote", "max_tokens": 50, "messages": [{"role": "user", "content": "Hi"}]}


def ask(api: ApiClient, status: int = 200, **body: Any) -> Any:
    response = api.call("POST", PATH, {**BODY, **body}, **VERSION)
    assert response.status_code == status, response.content
    assert response.headers["request-id"] == response.headers["X-Request-Id"]
    return json.loads(response.content)


def test_a_message_is_what_the_clients_read(serve_model: ServeModel, developer: ApiClient) -> None:
    details = {"prompt_tokens_details": {"cached_tokens": 4}}
    serve_model(completing({**COMPLETION, "usage": USAGE | details}))
    answer = ask(developer)
    assert answer.pop("id").startswith("msg_")
    assert answer == {
        "type": "message",
        "role": "assistant",
        "model": "remote:1",
        "content": [{"type": "text", "text": "Hello."}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 5,
            "cache_read_input_tokens": 4,
            "cache_creation_input_tokens": 0,
            "output_tokens": 4,
        },
    }


def test_everything_that_can_be_said_reaches_the_provider(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    server = serve_model(completing())
    source = {"type": "base64", "media_type": "image/png", "data": "AAAA"}
    tool_use = {"type": "tool_use", "id": "t1", "name": "look", "input": {"a": 1}}
    result = {
        "type": "tool_result",
        "tool_use_id": "t1",
        "content": [{"type": "text", "text": "A cat."}],
    }
    ask(
        developer,
        system=[{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}],
        messages=[
            {
                "role": "user",
                "content": [{"type": "text", "text": "What?"}, {"type": "image", "source": source}],
            },
            {
                "role": "assistant",
                "content": [{"type": "thinking", "thinking": "hm", "signature": "x"}, tool_use],
            },
            {"role": "user", "content": [result, {"type": "text", "text": "And now?"}]},
        ],
        tools=[{"name": "look", "description": "Looks.", "input_schema": {"type": "object"}}],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
        stop_sequences=["END"],
        temperature=0.3,
        top_p=0.9,
        metadata={"user_id": "u1"},
    )
    body = sent(server)
    roles = [turn["role"] for turn in body["messages"]]
    assert roles == ["system", "user", "assistant", "tool", "user"]
    url = body["messages"][1]["content"][1]["image_url"]["url"]
    assert url == "data:image/png;base64,AAAA"
    function = {"name": "look", "arguments": '{"a":1}'}
    assert body["messages"][2]["tool_calls"] == [
        {"id": "t1", "type": "function", "function": function}
    ]
    assert body["messages"][3] == {"role": "tool", "content": "A cat.", "tool_call_id": "t1"}
    assert body["messages"][4] == {"role": "user", "content": "And now?"}
    assert (body["tool_choice"], body["parallel_tool_calls"]) == ("required", False)
    assert (body["stop"], body["temperature"], body["user"]) == (["END"], 0.3, "u1")


@pytest.mark.parametrize(
    "changes",
    [
        {"max_tokens": None},
        {"max_tokens": 5000},
        {"messages": []},
        {"messages": [{"role": "system", "content": "x"}]},
        {"messages": [{"role": "user", "content": [{"type": "document"}]}]},
        {"messages": [{"role": "user", "content": [{"type": []}]}]},
        {"messages": [{"role": "user", "content": [{"type": {}}]}]},
        {"messages": [{"role": "user", "content": [{"type": "tool_result"}]}]},
        {
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "tool_result", "tool_use_id": "a", "is_error": "no"}],
                }
            ]
        },
        {
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "tool_result", "tool_use_id": "a", "content": [1]}],
                }
            ]
        },
        {"messages": [{"role": "user", "content": [{"type": "tool_use", "id": "a", "name": "b"}]}]},
        {"messages": [{"role": "assistant", "content": [{"type": "tool_use", "id": "a"}]}]},
        {"temperature": 1.5},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        {"top_k": 5},
        {"tool_choice": {"type": "tool"}},
        {"unknown": 1},
    ],
)
def test_what_cannot_be_asked_is_refused_in_its_shape(
    serve_model: ServeModel, developer: ApiClient, changes: dict[str, Any]
) -> None:
    server = serve_model(completing())
    answer = ask(developer, 400, **changes)
    assert answer["type"] == "error"
    assert answer["error"]["type"] == "invalid_request_error"
    assert not server.requests


@pytest.mark.parametrize(
    ("script", "status", "kind"),
    [
        (refused("429 Too Many", "slow"), 429, "rate_limit_error"),
        (refused("500 Oops", "no"), 502, "api_error"),
        (refused("401 No", "no"), 502, "api_error"),
        (refused("400 Bad", "no"), 400, "invalid_request_error"),
    ],
)
def test_failures_have_its_names(
    serve_model: ServeModel, developer: ApiClient, script: Any, status: int, kind: str
) -> None:
    serve_model(script)
    assert ask(developer, status)["error"]["type"] == kind


def stream(api: ApiClient) -> list[tuple[str, Any]]:
    response: Any = api.call("POST", PATH, {**BODY, "stream": True}, **VERSION)
    assert response.headers["Content-Type"] == "text/event-stream"
    return list(events(response.streaming_content))


def test_events_are_what_the_clients_read(serve_model: ServeModel, developer: ApiClient) -> None:
    call = {"index": 0, "id": "t1", "function": {"name": "look", "arguments": '{"a":1}'}}
    asking = event(choices=[{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}])
    serve_model(
        streaming(
            ROLE,
            delta("Hel"),
            delta("lo."),
            asking,
            delta(finish="tool_calls"),
            event(usage=USAGE),
            DONE,
        )
    )
    seen = stream(developer)
    assert [name for name, _ in seen] == [
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_delta",
        "content_block_stop",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    assert all(name == data["type"] for name, data in seen)
    assert [data["index"] for name, data in seen if name == "content_block_start"] == [0, 1]
    (_, end) = seen[-2]
    assert end["delta"]["stop_reason"] == "tool_use"
    assert (end["usage"]["input_tokens"], end["usage"]["output_tokens"]) == (9, 4)


def test_a_broken_stream_ends_in_an_error(serve_model: ServeModel, developer: ApiClient) -> None:
    serve_model(stream_then(ROLE, delta("Hel"), then=hang_up))
    seen = stream(developer)
    assert seen[-1][0] == "error"
    assert seen[-1][1]["error"]["type"] == "api_error"
    assert "message_stop" not in [name for name, _ in seen]


def test_a_call_that_goes_on_after_its_end_is_on_record_as_the_providers_fault(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    def piece(index: int, arguments: str, **more: str) -> bytes:
        call = {"index": index, "function": {"arguments": arguments, **more}, **more}
        return event(choices=[{"index": 0, "delta": {"tool_calls": [call]}, "finish_reason": None}])

    serve_model(
        streaming(
            piece(0, "{}", id="a", name="a"), piece(1, "{}", id="b", name="b"), piece(0, "x"),
            delta(finish="tool_calls"), DONE,
        )
    )  # fmt: skip
    assert stream(developer)[-1][0] == "error"
    record = InferenceRecord.objects.latest("pk")
    assert (record.status, record.error_code) == (502, "upstream_malformed")


def test_a_complete_stream_is_complete(serve_model: ServeModel, developer: ApiClient) -> None:
    serve_model(streaming(*HELLO))
    assert stream(developer)[-1][0] == "message_stop"


def test_models_and_unknown_routes_have_its_shape(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    serve_model(completing())
    response = developer.call("GET", "/v1/models?limit=20", **VERSION)
    (row,) = json.loads(response.content)["data"]
    assert (row["type"], row["id"], row["display_name"]) == ("model", "remote", "remote")
    assert response.headers["request-id"]
    for headers in (VERSION, {}):
        response = developer.call("POST", "/v1/messages/count_tokens", BODY, **headers)
        assert response.status_code == 404
        assert response.headers["request-id"]
        assert json.loads(response.content)["error"]["type"] == "not_found_error"
    response = developer.call("GET", "/v1/models/%00", **VERSION)
    assert json.loads(response.content)["type"] == "error"


def test_arguments_that_are_no_object_are_given_as_they_were_written(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    asked = {"id": "a", "type": "function", "function": {"name": "look", "arguments": "5"}}
    message = {"role": "assistant", "content": None, "tool_calls": [asked]}
    choice = {"index": 0, "finish_reason": "tool_calls", "message": message}
    serve_model(completing({**COMPLETION, "choices": [choice]}))
    (block,) = ask(developer)["content"]
    assert block["input"] == {"invalid_json": "5"}


def test_a_replayed_answer_has_a_request_id_too(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    server = serve_model(completing())
    answers = [developer.call("POST", PATH, BODY, Idempotency_Key="k", **VERSION) for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert all(answer.headers["request-id"] for answer in answers)
    assert len(server.requests) == 1


def test_calls_written_at_once_are_whole_blocks(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    def piece(index: int, arguments: str, name: str = "") -> bytes:
        named = {"id": name} if name else {}
        function = {"arguments": arguments} | ({"name": name} if name else {})
        calls = [{"index": index, "function": function, **named}]
        return event(choices=[{"index": 0, "delta": {"tool_calls": calls}, "finish_reason": None}])

    serve_model(
        streaming(
            piece(0, "", "a"), piece(1, "", "b"), piece(0, '{"x":1}'), piece(1, '{"y":2}'),
            delta(finish="tool_calls"), DONE,
        )
    )  # fmt: skip
    seen = stream(developer)
    starts = [data["content_block"] for name, data in seen if name == "content_block_start"]
    assert [block["id"] for block in starts] == ["a", "b"]
    deltas = [data for name, data in seen if name == "content_block_delta"]
    assert [(d["index"], d["delta"]["partial_json"]) for d in deltas] == [
        (0, '{"x":1}'),
        (1, '{"y":2}'),
    ]


def test_a_tool_that_failed_stays_failed_with_anthropic(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    text = {"type": "text", "text": "Sorry."}
    usage = {"input_tokens": 1, "output_tokens": 1}
    answer = {"type": "message", "content": [text], "stop_reason": "end_turn", "usage": usage}
    server = serve_model(completing(answer), provider="anthropic", provider_model="claude-x")
    result = {"type": "tool_result", "tool_use_id": "t1", "content": "No.", "is_error": True}
    ask(developer, messages=[{"role": "user", "content": [result]}])
    assert sent(server)["messages"][0]["content"] == [result]


def test_the_query_of_the_clients_beta_part_is_taken(
    serve_model: ServeModel, developer: ApiClient
) -> None:
    serve_model(completing())
    assert developer.call("POST", f"{PATH}?beta=true", BODY, **VERSION).status_code == 200
    assert developer.call("POST", f"{PATH}?gamma=true", BODY, **VERSION).status_code == 400


def test_the_key_may_come_in_its_own_header(serve_model: ServeModel, developer: ApiClient) -> None:
    serve_model(completing())
    nobody = ApiClient()
    key = developer.credential or ""
    assert nobody.call("POST", PATH, BODY, X_API_Key=key, **VERSION).status_code == 200
    assert nobody.call("POST", PATH, BODY, X_API_Key="no", **VERSION).status_code == 401
