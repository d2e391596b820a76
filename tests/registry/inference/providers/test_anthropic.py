"""What is sent to Anthropic's messages API, and what its answers and streams mean."""

from contextlib import suppress
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intmod_site.api.errors import ValidationFailed
from registry.inference.calls import (
    ChatResult,
    ClassifyCall,
    ClassifyResult,
    EmbedCall,
    Label,
    Message,
    StreamEnd,
    StreamEvent,
    TextDelta,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from registry.inference.providers.anthropic import AnthropicAdapter
from registry.inference.providers.failures import Kind
from registry.inference.providers.upstream_errors import MalformedUpstream, UpstreamError
from tests.registry.inference.providers.calls import CLOCK, HELLO, PERSON_SCHEMA, WITH_TOOLS
from tests.registry.inference.providers.wire_json import ANY_ANSWER, DEEP

ANTHROPIC = AnthropicAdapter()


def sent(call: Any, *, stream: bool = False) -> dict[str, Any]:
    request = ANTHROPIC.build(call, model="claude-sonnet-4-5", api_key="k", stream=stream)
    return orjson.loads(request.body)


def turns(*messages: Message) -> list[dict[str, Any]]:
    return sent(replace(HELLO, messages=messages))["messages"]


def answered(
    *content: dict[str, Any], stop_reason: str | None = "end_turn", **usage: int | None
) -> bytes:
    """Make a whole answer as Anthropic gives it."""
    return orjson.dumps(
        {
            "id": "msg_013Zva2CMHLNnXjNJJKqJ2EF",
            "type": "message",
            "role": "assistant",
            "model": "claude-sonnet-4-5-20250929",
            "content": content,
            "stop_reason": stop_reason,
            "stop_sequence": None,
            "usage": {"input_tokens": 12, "output_tokens": 6, "service_tier": "standard", **usage},
        }
    )


def event(kind: str, **fields: Any) -> bytes:
    """Make an event's data line."""
    return b"data: " + orjson.dumps({"type": kind, **fields})


def events_of(*lines: bytes) -> list[StreamEvent]:
    parser = ANTHROPIC.stream_parser(HELLO)
    return [found for line in lines for found in parser.feed(line)]


def text_piece(text: str, index: int = 0) -> bytes:
    return event("content_block_delta", index=index, delta={"type": "text_delta", "text": text})


def json_piece(text: str, index: int) -> bytes:
    return event(
        "content_block_delta", index=index, delta={"type": "input_json_delta", "partial_json": text}
    )


START = event(
    "message_start",
    message={
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "content": [],
        "model": "claude-sonnet-4-5-20250929",
        "stop_reason": None,
        "usage": {"input_tokens": 25, "cache_read_input_tokens": 100, "output_tokens": 1},
    },
)
STOP = event("message_stop")


def ending(reason: str = "end_turn", **usage: Any) -> bytes:
    return event(
        "message_delta",
        delta={"stop_reason": reason, "stop_sequence": None},
        usage={"output_tokens": 15, **usage},
    )


# What is sent


def test_a_chat_is_sent_with_its_version_and_key() -> None:
    request = ANTHROPIC.build(HELLO, model="claude-sonnet-4-5", api_key="sk-ant", stream=False)
    assert (request.method, request.path) == ("POST", "/v1/messages")
    assert request.headers == {
        "content-type": "application/json",
        "anthropic-version": "2023-06-01",
        "x-api-key": "sk-ant",
    }
    assert orjson.loads(request.body) == {
        "model": "claude-sonnet-4-5",
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "Hello"}],
    }
    assert sent(HELLO, stream=True)["stream"] is True


def test_everything_that_a_call_may_carry_is_sent_or_left_out_for_a_reason() -> None:
    assert sent(WITH_TOOLS) == {
        "model": "claude-sonnet-4-5",
        "max_tokens": 50,
        "system": "Be brief.",
        "messages": [
            {"role": "user", "content": "Weather and time in Rome?"},
            {
                "role": "assistant",
                "content": [
                    {
                        "type": "tool_use",
                        "id": "a1",
                        "name": "get_weather",
                        "input": {"town": "Rome"},
                    },
                    {"type": "tool_use", "id": "a2", "name": "get_time", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "a1", "content": "sunny"},
                    {"type": "tool_result", "tool_use_id": "a2", "content": "12:00"},
                    {"type": "text", "text": "And tomorrow?"},
                ],
            },
        ],
        "temperature": 1.0,
        "top_p": 0.9,
        "stop_sequences": ["END"],
        "metadata": {"user_id": "u-1"},
        "tools": [
            {
                "name": "get_weather",
                "description": "The weather in a town.",
                "input_schema": {
                    "type": "object",
                    "properties": {"town": {"type": "string"}},
                    "required": ["town"],
                },
            },
            {"name": "get_time", "input_schema": {"type": "object", "properties": {}}},
        ],
        "tool_choice": {"type": "any", "disable_parallel_tool_use": True},
    }


def test_neighbours_of_one_role_become_one_turn_and_empty_answers_none() -> None:
    assert turns(
        Message("user", "a"),
        Message("assistant", ""),
        Message("user", "b"),
        Message("assistant", "c"),
        Message("assistant", "d"),
    ) == [
        {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        {
            "role": "assistant",
            "content": [{"type": "text", "text": "c"}, {"type": "text", "text": "d"}],
        },
    ]


def test_system_prompts_are_gathered_wherever_they_stand() -> None:
    call = replace(
        HELLO, messages=(Message("system", "a"), Message("user", "x"), Message("system", "b"))
    )
    body = sent(call)
    assert body["system"] == [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    assert body["messages"] == [{"role": "user", "content": "x"}]


def test_a_tool_that_answers_nothing() -> None:
    assert turns(Message("tool", "", tool_call_id="a1"))[0]["content"] == [
        {"type": "tool_result", "tool_use_id": "a1"}
    ]


def test_parts_become_blocks() -> None:
    parts = (
        {"type": "text", "text": "See", "cache_control": {"type": "ephemeral"}},
        {"type": "text", "text": ""},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0="}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": "low"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0="}},
    )
    assert turns(Message("user", parts))[0]["content"] == [
        {"type": "text", "text": "See", "cache_control": {"type": "ephemeral"}},
        {
            "type": "image",
            "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0="},
        },
        {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}},
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
        },
    ]


def test_a_part_without_a_block_is_refused() -> None:
    with pytest.raises(ValidationFailed, match="input_audio"):
        turns(Message("user", ({"type": "input_audio", "input_audio": {}},)))


@pytest.mark.parametrize("arguments", ["{broken", "[1]", "5"])
def test_a_tool_call_whose_arguments_are_no_object_is_refused(arguments: str) -> None:
    with pytest.raises(ValidationFailed, match="a1"):
        turns(Message("assistant", "", (ToolCall("a1", "f", arguments),)))


@pytest.mark.parametrize(
    ("choice", "parallel", "wire"),
    [
        (None, None, None),
        (None, True, None),
        (None, False, {"type": "auto", "disable_parallel_tool_use": True}),
        ("auto", None, {"type": "auto"}),
        ("none", False, {"type": "none"}),
        ("required", None, {"type": "any"}),
        ("get_time", None, {"type": "tool", "name": "get_time"}),
    ],
)
def test_tool_choices(choice: str | None, parallel: bool | None, wire: Any) -> None:
    call = replace(HELLO, tools=(CLOCK,), tool_choice=choice, parallel_tool_calls=parallel)
    assert sent(call).get("tool_choice") == wire


def test_a_schema_is_held_to_by_the_output_format() -> None:
    body = sent(replace(HELLO, response_schema=PERSON_SCHEMA))
    assert body["output_config"] == {"format": {"type": "json_schema", "schema": PERSON_SCHEMA}}


def test_a_json_object_is_asked_for_in_words() -> None:
    assert sent(replace(HELLO, json_object=True))["system"].startswith("Answer with one JSON")
    both = replace(HELLO, messages=(Message("system", "Be brief."), *HELLO.messages))
    assert sent(replace(both, json_object=True))["system"].startswith("Be brief.\n\nAnswer")
    parts = replace(both, messages=(Message("system", ({"type": "text", "text": "a"},)),))
    assert len(sent(replace(parts, json_object=True))["system"]) == 2


def test_embeddings_are_refused() -> None:
    with pytest.raises(ValidationFailed):
        sent(EmbedCall(("a",)))
    assert "embed" not in ANTHROPIC.tasks_of("claude-sonnet-4-5")


# What an answer means


def test_an_answer_counts_all_of_its_input() -> None:
    body = answered(
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "text", "text": "Hi"},
        {"type": "text", "text": ".", "citations": None},
        {"type": "of_a_new_kind", "text": "no"},
        cache_read_input_tokens=100,
        cache_creation_input_tokens=30,
    )
    assert ANTHROPIC.parse(body, HELLO) == ChatResult(
        text="Hi.",
        finish_reason="stop",
        usage=Usage(input_tokens=142, output_tokens=6, cached_tokens=100, cache_write_tokens=30),
        model="claude-sonnet-4-5-20250929",
    )


def test_an_answer_that_calls_tools() -> None:
    use = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": [1, "b"]}}
    result = ANTHROPIC.parse(answered(use, stop_reason="tool_use"), WITH_TOOLS)
    assert isinstance(result, ChatResult)
    assert result.tool_calls == (ToolCall("toolu_1", "f", '{"a":[1,"b"]}'),)
    assert result.finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("of-a-new-kind", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
    ],
)
def test_stop_reasons(said: str, means: str) -> None:
    result = ANTHROPIC.parse(answered(stop_reason=said), HELLO)
    assert isinstance(result, ChatResult)
    assert result.finish_reason == means
    assert events_of(START, ending(said), STOP)[-1].finish_reason == means  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        answered(stop_reason=None),
        b'{"type":1}',
        b'{"stop_reason":"end_turn","content":[],"unknown":' + DEEP + b"}",
        b'{"stop_reason":"tool_use","content":[{"type":"tool_use","input":' + DEEP + b"}]}",
        b'{"stop_reason":"tool_use","content":[{"type":"tool_use","input":{"a":"\xff"}}]}',
    ],
)
def test_malformed_answers(body: bytes) -> None:
    with pytest.raises(MalformedUpstream):
        ANTHROPIC.parse(body, HELLO)


def test_an_error_in_spite_of_its_status() -> None:
    body = b'{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}'
    with pytest.raises(UpstreamError) as raised:
        ANTHROPIC.parse(body, HELLO)
    assert raised.value.kind is Kind.OVERLOADED


def test_classification_goes_through_the_output_format() -> None:
    call = ClassifyCall(("good",), (Label("pos"), Label("neg")))
    schema = sent(call)["output_config"]["format"]["schema"]
    assert schema["additionalProperties"] is False
    text = '{"results":[{"text":0,"label_0":0.9,"label_1":0.1}]}'
    result = ANTHROPIC.parse(answered({"type": "text", "text": text}), call)
    assert isinstance(result, ClassifyResult)
    assert result.classifications[0].labels == ["pos"]
    assert result.usage == Usage(12, 6)


# What a stream means


def test_a_stream_from_its_first_to_its_last_event() -> None:
    assert events_of(
        b"event: message_start",
        START,
        b"",
        event("content_block_start", index=0, content_block={"type": "text", "text": ""}),
        event("ping"),
        text_piece("Hel"),
        text_piece("lo") + b"\r",
        event("content_block_stop", index=0),
        event("of_a_new_kind", something={"else": [1]}),
        ending(),
        STOP,
        b"",
    ) == [
        TextDelta("Hel"),
        TextDelta("lo"),
        StreamEnd("stop", Usage(125, 15, cached_tokens=100), "claude-sonnet-4-5-20250929"),
    ]


def test_the_last_counts_are_the_totals() -> None:
    events = events_of(START, ending(input_tokens=40, cache_creation_input_tokens=7), STOP)
    assert events == [
        StreamEnd(
            "stop",
            Usage(147, 15, cached_tokens=100, cache_write_tokens=7),
            "claude-sonnet-4-5-20250929",
        )
    ]


def test_tool_calls_are_counted_without_the_blocks_between_them() -> None:
    def begin(index: int, name: str) -> bytes:
        block = {"type": "tool_use", "id": f"toolu_{name}", "name": name, "input": {}}
        return event("content_block_start", index=index, content_block=block)

    assert events_of(
        START,
        event("content_block_start", index=0, content_block={"type": "thinking", "thinking": ""}),
        event("content_block_delta", index=0, delta={"type": "thinking_delta", "thinking": "hm"}),
        event("content_block_delta", index=0, delta={"type": "signature_delta", "signature": "s"}),
        event("content_block_stop", index=0),
        begin(1, "f"),
        json_piece("", 1),
        json_piece('{"town":', 1),
        json_piece('"Rome"}', 1),
        event("content_block_stop", index=1),
        begin(2, "g"),
        json_piece("", 2),
        event("content_block_stop", index=2),
        ending("tool_use"),
        STOP,
    )[:-1] == [
        ToolCallDelta(0, "", "toolu_f", "f"),
        ToolCallDelta(0, '{"town":'),
        ToolCallDelta(0, '"Rome"}'),
        ToolCallDelta(1, "", "toolu_g", "g"),
        ToolCallDelta(1, "{}"),
    ]


def test_without_message_stop_the_end_comes_when_the_lines_run_out() -> None:
    parser = ANTHROPIC.stream_parser(HELLO)
    for line in (START, text_piece("Hi"), ending()):
        parser.feed(line)
    assert parser.finished
    assert parser.end() == [
        StreamEnd("stop", Usage(125, 15, cached_tokens=100), "claude-sonnet-4-5-20250929")
    ]
    assert parser.feed(STOP) == []


@pytest.mark.parametrize("last", [STOP, None])
def test_an_end_without_stop_reason_is_a_cut(last: bytes | None) -> None:
    parser = ANTHROPIC.stream_parser(HELLO)
    parser.feed(text_piece("half an ans"))
    with pytest.raises(UpstreamError) as raised:
        parser.feed(last) if last else parser.end()
    assert raised.value.kind is Kind.STREAM_CUT


@pytest.mark.parametrize(
    "line",
    [
        b"data: {broken",
        b"data: [DONE]",
        b'data: {"index":0}',
        b'{"type":"message"}',
        b'data: {"type":"ping","unknown":' + DEEP + b"}",
    ],
)
def test_malformed_events(line: bytes) -> None:
    with pytest.raises(MalformedUpstream):
        events_of(START, line)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("overloaded_error", Kind.OVERLOADED),
        ("api_error", Kind.SERVER_ERROR),
        ("rate_limit_error", Kind.RATE_LIMITED),
        ("invalid_request_error", Kind.BAD_REQUEST),
        ("timeout_error", Kind.SERVER_ERROR),
    ],
)
def test_an_error_in_the_middle_is_that_error(name: str, kind: Kind) -> None:
    with pytest.raises(UpstreamError) as raised:
        events_of(START, text_piece("Hi"), event("error", error={"type": name, "message": "m"}))
    assert raised.value.kind is kind


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_any_split_of_a_text_is_the_text_again(pieces: list[str]) -> None:
    events = events_of(START, *(text_piece(piece) for piece in pieces), ending(), STOP)
    assert "".join(found.text for found in events if isinstance(found, TextDelta)) == "".join(
        pieces
    )


@given(st.binary() | ANY_ANSWER)
def test_no_line_does_worse_than_being_malformed(line: bytes) -> None:
    with suppress(UpstreamError):
        events_of(b"data: " + line)
    with suppress(UpstreamError):
        events_of(line)
    with suppress(UpstreamError):
        ANTHROPIC.parse(line, HELLO)
    ANTHROPIC.classify(400, {}, line).to_api_error()
