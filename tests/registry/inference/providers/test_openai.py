"""What is sent to OpenAI's protocol, and what its answers and streams mean."""

import json
from contextlib import suppress
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intmod_site.api.errors import ValidationFailed
from registry.inference.calls import (
    ChatCall,
    ChatResult,
    EmbedCall,
    EmbedResult,
    Message,
    StreamEnd,
    StreamEvent,
    TextDelta,
    Tool,
    ToolCall,
    ToolCallDelta,
    Usage,
)
from registry.inference.providers.failures import Kind
from registry.inference.providers.openai import OpenAIAdapter
from registry.inference.providers.upstream_errors import MalformedUpstream, UpstreamError
from tests.registry.inference.providers.calls import CLOCK, HELLO, PERSON_SCHEMA, WITH_TOOLS
from tests.registry.inference.providers.wire_json import ANY_ANSWER, DEEP

OPENAI = OpenAIAdapter()


def sent(call: Any, *, model: str = "gpt-4o", stream: bool = False) -> dict[str, Any]:
    request = OPENAI.build(call, model=model, api_key="k", stream=stream)
    return orjson.loads(request.body)


def answered(message: dict[str, Any], finish_reason: str = "stop", **more: Any) -> bytes:
    """Make a whole answer as OpenAI gives it, with all that is of no matter here."""
    return orjson.dumps(
        {
            "id": "chatcmpl-B9MBs8",
            "object": "chat.completion",
            "created": 1741569952,
            "model": "gpt-4o-2024-08-06",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "refusal": None, "annotations": [], **message},
                    "logprobs": None,
                    "finish_reason": finish_reason,
                }
            ],
            "usage": {
                "prompt_tokens": 19,
                "completion_tokens": 10,
                "total_tokens": 29,
                "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": 4, "audio_tokens": 0},
            },
            "service_tier": "default",
            **more,
        }
    )


def chunk(
    delta: dict[str, Any] | None = None, finish_reason: str | None = None, **more: Any
) -> bytes:
    """Make a chunk's line."""
    choices = (
        [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish_reason}]
    )
    body = {
        "id": "chatcmpl-123",
        "object": "chat.completion.chunk",
        "model": "gpt-4o-mini",
        "choices": choices,
        **more,
    }
    return b"data: " + orjson.dumps(body)


def events_of(*lines: bytes) -> list[StreamEvent]:
    parser = OPENAI.stream_parser(HELLO)
    return [event for line in lines for event in parser.feed(line)]


USAGE_CHUNK = chunk(usage={"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12})
DONE = b"data: [DONE]"


# What is sent


def test_a_chat_is_sent_as_it_is_with_the_key_in_the_header() -> None:
    request = OPENAI.build(HELLO, model="gpt-4o", api_key="sk-1", stream=False)
    assert (request.method, request.path) == ("POST", "/chat/completions")
    assert request.headers == {
        "content-type": "application/json",
        "authorization": "Bearer sk-1",
    }
    assert orjson.loads(request.body) == {
        "model": "gpt-4o",
        "messages": [{"role": "user", "content": "Hello"}],
        "max_tokens": 100,
    }
    assert "sk-1" not in repr(request)


def test_no_key_no_header() -> None:
    request = OPENAI.build(HELLO, model="llama3.2", api_key=None, stream=False)
    assert "authorization" not in request.headers


def test_everything_that_a_call_may_carry_is_sent() -> None:
    assert sent(WITH_TOOLS) == {
        "model": "gpt-4o",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Weather and time in Rome?"},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {
                        "id": "a1",
                        "type": "function",
                        "function": {"name": "get_weather", "arguments": '{"town":"Rome"}'},
                    },
                    {
                        "id": "a2",
                        "type": "function",
                        "function": {"name": "get_time", "arguments": ""},
                    },
                ],
            },
            {"role": "tool", "content": "sunny", "tool_call_id": "a1"},
            {"role": "tool", "content": "12:00", "tool_call_id": "a2"},
            {"role": "user", "content": "And tomorrow?"},
        ],
        "max_tokens": 50,
        "temperature": 1.5,
        "top_p": 0.9,
        "seed": 7,
        "stop": ["END"],
        "user": "u-1",
        "tools": [
            {
                "type": "function",
                "function": {
                    "name": "get_weather",
                    "description": "The weather in a town.",
                    "parameters": {
                        "type": "object",
                        "properties": {"town": {"type": "string"}},
                        "required": ["town"],
                    },
                },
            },
            {"type": "function", "function": {"name": "get_time"}},
        ],
        "tool_choice": "required",
        "parallel_tool_calls": False,
    }


@pytest.mark.parametrize(
    ("choice", "wire"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("get_time", {"type": "function", "function": {"name": "get_time"}}),
    ],
)
def test_tool_choices(choice: str, wire: Any) -> None:
    call = replace(HELLO, tools=(CLOCK,), tool_choice=choice)
    assert sent(call)["tool_choice"] == wire


def test_a_choice_without_tools_is_left_out_because_openai_refuses_it() -> None:
    assert "tool_choice" not in sent(replace(HELLO, tool_choice="none", parallel_tool_calls=True))


@pytest.mark.parametrize(
    "model", ["o1", "o3-mini", "o4-mini-2025-04-16", "gpt-5", "gpt-5.1-chat", "openai/gpt-10-nano"]
)
def test_models_that_think_are_limited_by_max_completion_tokens(model: str) -> None:
    body = sent(HELLO, model=model)
    assert body["max_completion_tokens"] == 100
    assert "max_tokens" not in body


@pytest.mark.parametrize("model", ["gpt-4o", "gpt-oss:20b", "llama3.2", "olmo-7b", "opus"])
def test_other_models_are_limited_by_max_tokens(model: str) -> None:
    assert sent(HELLO, model=model)["max_tokens"] == 100


def test_streams_are_always_asked_for_their_usage() -> None:
    body = sent(HELLO, stream=True)
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}


def test_a_closed_schema_is_strict_and_an_open_one_is_not() -> None:
    strict = sent(replace(HELLO, response_schema=PERSON_SCHEMA, response_schema_name="person"))
    assert strict["response_format"] == {
        "type": "json_schema",
        "json_schema": {"name": "person", "schema": PERSON_SCHEMA, "strict": True},
    }
    lax = sent(replace(HELLO, response_schema={"type": "object"}))
    assert lax["response_format"]["json_schema"]["strict"] is False
    assert sent(replace(HELLO, json_object=True))["response_format"] == {"type": "json_object"}


def test_parts_are_sent_as_they_are_but_for_cache_marks() -> None:
    image = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
    marked = {"type": "text", "text": "See", "cache_control": {"type": "ephemeral"}}
    body = sent(replace(HELLO, messages=(Message("user", (marked, image)),)))
    assert body["messages"][0]["content"] == [{"type": "text", "text": "See"}, image]


def test_what_json_cannot_hold_is_the_callers_mistake() -> None:
    huge = replace(HELLO, tools=(Tool("f", parameters={"maximum": 2**70}),))
    with pytest.raises(ValidationFailed):
        sent(huge)


# What an answer means


def test_an_answer_with_its_usage() -> None:
    assert OPENAI.parse(answered({"content": "Hi."}), HELLO) == ChatResult(
        text="Hi.",
        finish_reason="stop",
        usage=Usage(input_tokens=19, output_tokens=10, cached_tokens=8, reasoning_tokens=4),
        model="gpt-4o-2024-08-06",
    )


def test_an_answer_that_calls_tools() -> None:
    asked = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
    result = OPENAI.parse(
        answered({"content": None, "tool_calls": [asked]}, "tool_calls"), WITH_TOOLS
    )
    assert isinstance(result, ChatResult)
    assert result.tool_calls == (ToolCall("c1", "f", '{"a":1}'),)
    assert (result.text, result.finish_reason) == ("", "tool_calls")


def test_a_forced_tool_call_ends_for_the_tool_call_although_openai_says_stop() -> None:
    asked = {"function": {"name": "f", "arguments": ""}}
    result = OPENAI.parse(answered({"tool_calls": [asked]}, "stop"), WITH_TOOLS)
    assert isinstance(result, ChatResult)
    assert result.finish_reason == "tool_calls"
    assert result.tool_calls == (ToolCall("call_0", "f", "{}"),)


def test_a_refusal_is_its_text() -> None:
    result = OPENAI.parse(answered({"content": None, "refusal": "I can't."}), HELLO)
    assert isinstance(result, ChatResult)
    assert (result.text, result.finish_reason) == ("I can't.", "content_filter")


@pytest.mark.parametrize(
    ("said", "means"),
    [
        ("stop", "stop"),
        ("length", "length"),
        ("content_filter", "content_filter"),
        ("function_call", "tool_calls"),
        ("model_length", "length"),
        ("of-a-new-kind", "stop"),
    ],
)
def test_finish_reasons(said: str, means: str) -> None:
    result = OPENAI.parse(answered({"content": "x"}, said), HELLO)
    assert isinstance(result, ChatResult)
    assert result.finish_reason == means


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("abort", Kind.STREAM_CUT),
        ("error", Kind.SERVER_ERROR),
        ("insufficient_system_resource", Kind.OVERLOADED),
    ],
)
def test_reasons_that_are_failures(reason: str, kind: Kind) -> None:
    with pytest.raises(UpstreamError) as raised:
        OPENAI.parse(answered({"content": "x"}, reason), HELLO)
    assert raised.value.kind is kind


def test_thoughts_in_parts_are_left_out() -> None:
    parts = [{"type": "thinking", "thinking": []}, {"type": "text", "text": "Hi."}]
    result = OPENAI.parse(answered({"content": parts}), HELLO)
    assert isinstance(result, ChatResult)
    assert result.text == "Hi."


def test_small_servers_leave_much_out() -> None:
    body = b'{"choices":[{"message":{"content":"Hi."},"finish_reason":"stop"}],"usage":null}'
    assert OPENAI.parse(body, HELLO) == ChatResult("Hi.", "stop", None)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'{"choices": []}',
        b'{"choices": null}',
        b'{"choices":[{"finish_reason":"stop"}]}',
        b'{"choices":[{"message":{"content":"cut"}}]}',
        b'{"choices":[{"message":{"content":5},"finish_reason":"stop"}]}',
        b'{"choices":[{"message":{"content":"\xff"},"finish_reason":"stop"}]}',
        b'{"choices":' + DEEP + b"}",
        b'{"unknown":' + DEEP + b"}",
        b'{"error":' + DEEP + b"}",
    ],
)
def test_malformed_answers(body: bytes) -> None:
    with pytest.raises(MalformedUpstream):
        OPENAI.parse(body, HELLO)


@pytest.mark.parametrize(
    "usage",
    [
        {"prompt_tokens": -5, "completion_tokens": 4},
        {"prompt_tokens": 5, "completion_tokens": -4},
        {"prompt_tokens": 2**31},
        {"prompt_tokens": 10**40},
        {"prompt_tokens": 5, "prompt_tokens_details": {"cached_tokens": 6}},
    ],
)
def test_a_usage_that_cannot_be_is_unknown(usage: dict[str, Any]) -> None:
    raw = json.dumps(usage).encode()
    choice = b'{"choices":[{"message":{"content":"Hi."},"finish_reason":"stop"}],"usage":'
    assert OPENAI.parse(choice + raw + b"}", HELLO) == ChatResult("Hi.", "stop", None)
    end = events_of(
        chunk({"content": "Hi"}), chunk({}, "stop"), b'data: {"usage":' + raw + b"}", DONE
    )[-1]
    assert isinstance(end, StreamEnd)
    assert end.usage is None


def test_an_error_in_spite_of_its_status() -> None:
    with pytest.raises(UpstreamError) as raised:
        OPENAI.parse(b'{"error":{"message":"Provider down","code":503}}', HELLO)
    assert raised.value.kind is Kind.OVERLOADED


# What a stream means


def test_a_stream_from_its_first_to_its_last_line() -> None:
    assert events_of(
        b": keep-alive",
        chunk({"role": "assistant", "content": "", "refusal": None}, usage=None),
        b"",
        chunk({"content": "Hel"}),
        b"event: message",
        chunk({"content": "lo"}),
        chunk({}, "stop"),
        USAGE_CHUNK,
        b"",
        DONE,
        b"",
        b"data: whatever follows",
    ) == [
        TextDelta("Hel"),
        TextDelta("lo"),
        StreamEnd("stop", Usage(9, 3), "gpt-4o-mini"),
    ]


def test_lines_may_end_in_cr_and_begin_without_a_space() -> None:
    line = chunk({"content": "Hi"}, "stop").replace(b"data: ", b"data:") + b"\r"
    assert events_of(line, b"\r", b"data:[DONE]\r")[0] == TextDelta("Hi")


def test_tool_calls_come_in_pieces_by_index() -> None:
    def piece(index: int, arguments: str, **more: Any) -> bytes:
        function = {"arguments": arguments, **more.pop("function", {})}
        return chunk({"tool_calls": [{"index": index, "function": function, **more}]})

    events = events_of(
        piece(0, "", id="a1", type="function", function={"name": "f"}),
        piece(0, '{"x":'),
        piece(0, "1}"),
        piece(1, "", id="a2", type="function", function={"name": "g"}),
        piece(1, "{}"),
        chunk({}, "tool_calls"),
        DONE,
    )
    assert events == [
        ToolCallDelta(0, "", "a1", "f"),
        ToolCallDelta(0, '{"x":'),
        ToolCallDelta(0, "1}"),
        ToolCallDelta(1, "", "a2", "g"),
        ToolCallDelta(1, "{}"),
        StreamEnd("tool_calls", None, "gpt-4o-mini"),
    ]


def test_tool_calls_without_an_index_begin_with_their_id() -> None:
    def piece(**more: Any) -> bytes:
        return chunk({"tool_calls": [{"function": {"name": "f", "arguments": "{"}, **more}]})

    events = events_of(piece(id="a1"), piece(), piece(id="a2"), chunk({}, "stop"), DONE)
    assert events[:3] == [
        ToolCallDelta(0, "{", "a1", "f"),
        ToolCallDelta(0, "{"),
        ToolCallDelta(1, "{", "a2", "f"),
    ]
    assert events[3] == StreamEnd("tool_calls", None, "gpt-4o-mini")


def test_a_streamed_refusal() -> None:
    assert events_of(chunk({"refusal": "I can't."}), chunk({}, "stop"), DONE) == [
        TextDelta("I can't."),
        StreamEnd("content_filter", None, "gpt-4o-mini"),
    ]


def test_usage_on_every_chunk_counts_once() -> None:
    first = chunk({"content": "a"}, usage={"prompt_tokens": 5, "completion_tokens": 1})
    last = chunk({"content": "b"}, "length", usage={"prompt_tokens": 5, "completion_tokens": 2})
    assert events_of(first, last, DONE)[-1] == StreamEnd("length", Usage(5, 2), "gpt-4o-mini")


def test_other_choices_and_unknown_fields_are_passed_over() -> None:
    line = (
        b'data: {"choices":[{"index":1,"delta":{"content":"no"}},'
        b'{"index":0,"delta":{"content":"yes","reasoning_content":"hm"},"x":{"y":[1]}}],"p":"abc"}'
    )
    assert events_of(line) == [TextDelta("yes")]


def test_without_done_the_end_comes_when_the_lines_run_out() -> None:
    parser = OPENAI.stream_parser(HELLO)
    parser.feed(chunk({"content": "Hi"}, "stop"))
    assert parser.finished
    assert not parser.ended
    assert parser.end() == [StreamEnd("stop", None, "gpt-4o-mini")]
    assert parser.ended
    assert parser.end() == []
    assert parser.feed(DONE) == []


def test_an_empty_finish_reason_is_none() -> None:
    parser = OPENAI.stream_parser(HELLO)
    parser.feed(chunk({"content": "Hi"}, ""))
    assert not parser.finished


@pytest.mark.parametrize("last", [DONE, None])
def test_an_end_without_finish_reason_is_a_cut(last: bytes | None) -> None:
    parser = OPENAI.stream_parser(HELLO)
    parser.feed(chunk({"content": "half an ans"}))
    with pytest.raises(UpstreamError) as raised:
        parser.feed(last) if last else parser.end()
    assert raised.value.kind is Kind.STREAM_CUT


@pytest.mark.parametrize(
    "line",
    [
        b"data: {broken",
        b"data: 5",
        b'data: {"choices":' + DEEP + b"}",
        b'data: {"choices":[{"delta":{"tool_calls":[{"index":-1,"id":"a"}]}}]}',
        b'data: {"choices":[{"delta":{"tool_calls":[{"index":1180591620717411303424}]}}]}',
        b'data: {"choices": [{"delta": "text"}]}',
        b'data: {"choices":[{"delta":{"content":"\xff\xfe"}}]}',
        # A server that does not stream; its text must not get lost in silence.
        b'{"choices":[{"message":{"content":"Hi"},"finish_reason":"stop"}]}',
        b'data: {"choices":[{"index":0,"message":{"content":"Hi"},"finish_reason":"stop"}]}',
    ],
)
def test_malformed_chunks(line: bytes) -> None:
    with pytest.raises(MalformedUpstream):
        events_of(chunk({"content": "Hi"}), line)


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        (b'data: {"error":{"message":"boom","type":"server_error"}}', Kind.SERVER_ERROR),
        (b'data: {"error":{"message":"slow","code":"rate_limit_exceeded"}}', Kind.SERVER_ERROR),
        (b'data: {"error":{"message":"slow","type":"rate_limit_error"}}', Kind.RATE_LIMITED),
        (b'data: {"error":{"message":"m","type":"BadRequestError","code":400}}', Kind.BAD_REQUEST),
        (b'data: {"object":"error","message":"m","code":500}', Kind.SERVER_ERROR),
        (b'data: {"error":"unexpected end"}', Kind.SERVER_ERROR),
        (b'data: {"choices":null,"error":{"code":"429"}}', Kind.RATE_LIMITED),
        (b'{"error":{"message":"bare","code":503}}', Kind.OVERLOADED),
        (b'error: {"error":{"type":"exceed_context_size_error"}}', Kind.CONTEXT_LENGTH),
    ],
)
def test_an_error_in_the_middle_is_that_error(line: bytes, kind: Kind) -> None:
    with pytest.raises(UpstreamError) as raised:
        events_of(chunk({"content": "Hi"}), line)
    assert raised.value.kind is kind


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]))))
def test_any_split_of_a_text_is_the_text_again(pieces: list[str]) -> None:
    events = events_of(*(chunk({"content": piece}) for piece in pieces), chunk({}, "stop"), DONE)
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == "".join(
        pieces
    )
    assert isinstance(events[-1], StreamEnd)


@given(st.binary() | ANY_ANSWER)
def test_no_line_does_worse_than_being_malformed(line: bytes) -> None:
    with suppress(UpstreamError):
        events_of(b"data: " + line)
    with suppress(UpstreamError):
        events_of(line)
    with suppress(UpstreamError):
        OPENAI.parse(line, HELLO)
    OPENAI.classify(400, {}, line).to_api_error()


# Embeddings


def embedded(*items: dict[str, Any]) -> bytes:
    usage = {"prompt_tokens": 5, "total_tokens": 5}
    return orjson.dumps({"object": "list", "data": items, "model": "m", "usage": usage})


def test_texts_are_sent_together_and_vectors_asked_for_in_base64() -> None:
    request = OPENAI.build(
        EmbedCall(("a", "b")), model="text-embedding-3-small", api_key="k", stream=False
    )
    assert request.path == "/embeddings"
    assert orjson.loads(request.body) == {
        "model": "text-embedding-3-small",
        "input": ["a", "b"],
        "encoding_format": "base64",
    }


def test_vectors_come_in_order_as_numbers_or_base64() -> None:
    # The float32 of 0.6 and 0.8, little endian.
    body = embedded(
        {"index": 1, "embedding": [0.0, 1.0]}, {"index": 0, "embedding": "mpkZP83MTD8="}
    )
    result = OPENAI.parse(body, EmbedCall(("a", "b")))
    assert isinstance(result, EmbedResult)
    assert result.vectors == [pytest.approx([0.6, 0.8]), [0.0, 1.0]]
    assert result.usage == Usage(5)


def test_vectors_are_brought_to_unit_length() -> None:
    result = OPENAI.parse(embedded({"embedding": [3, 4]}), EmbedCall(("a",)))
    assert isinstance(result, EmbedResult)
    assert result.vectors == [pytest.approx([0.6, 0.8])]


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        embedded(),
        embedded({"index": 0, "embedding": [1.0]}),
        embedded({"index": 0, "embedding": [1.0]}, {"index": 0, "embedding": [1.0]}),
        embedded({"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [0.6, 0.8]}),
        embedded({"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [0.0]}),
        embedded({"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": []}),
        embedded({"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": "AADAfw=="}),
        embedded({"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": "?"}),
        embedded({"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": "AAA="}),
    ],
)
def test_malformed_vectors(body: bytes) -> None:
    with pytest.raises(MalformedUpstream):
        OPENAI.parse(body, EmbedCall(("a", "b")))


# Tasks


@pytest.mark.parametrize(
    ("model", "can", "cannot"),
    [
        ("gpt-4o-mini", "classify", "embed"),
        ("o3", "chat", "embed"),
        ("text-embedding-3-small", "embed", "chat"),
        ("nomic-embed-text", "embed", "chat"),
    ],
)
def test_tasks_by_name(model: str, can: str, cannot: str) -> None:
    tasks = OPENAI.tasks_of(model)
    assert can in tasks
    assert cannot not in tasks


def test_an_unknown_model_may_be_registered_for_any_task() -> None:
    assert {"embed", "chat"} <= OPENAI.tasks_of("bge-m3")


def test_calls_are_frozen_and_untouched() -> None:
    before = repr(WITH_TOOLS)
    sent(WITH_TOOLS, stream=True)
    assert repr(WITH_TOOLS) == before
    assert isinstance(WITH_TOOLS, ChatCall)
