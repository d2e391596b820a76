"""The form of an answer: checked by the gateway, whatever the provider promises."""

import json
from typing import Any

import pytest

from authz.identity.principal import Principal
from intmod_site.api.errors import ApiError, UpstreamFailed, ValidationFailed
from registry.catalog.resolution import Target
from registry.inference import gateway
from registry.inference.asked import Asked
from registry.inference.calls import ChatCall, ChatResult, Message, Tool
from registry.models import InferenceRecord
from tests.registry.inference.conftest import ServeModel
from tests.registry.inference.raw_upstream import (
    COMPLETION,
    COUNTED,
    DONE,
    STOP,
    completing,
    delta,
    in_turn,
    streaming,
)

SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string", "maxLength": 10}},
    "required": ["city"],
}


def saying(text: str, finish: str = "stop", **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, **more}
    choice = {"index": 0, "finish_reason": finish, "message": message}
    return {**COMPLETION, "choices": [choice]}


def asked(principal: Principal, **fields: Any) -> Asked:
    def build(target: Target) -> ChatCall:
        return ChatCall(messages=(Message("user", "Where?"),), max_tokens=20, **fields)

    return Asked(principal=principal, task="chat", reference="remote", build=build, body={})


def text_of(principal: Principal, **fields: Any) -> str:
    result = gateway.answer(asked(principal, **fields)).result
    assert isinstance(result, ChatResult)
    return result.text


def test_what_fits_is_given_as_it_is(serve_model: ServeModel, principal: Principal) -> None:
    serve_model(completing(saying('{"city": "Bern"}')))
    assert text_of(principal, response_schema=SCHEMA) == '{"city": "Bern"}'


@pytest.mark.parametrize(
    "text", ["Bern", '{"town": "Bern"}', '{"city": 3}', '{"city": "A very long name"}', "", "[1"]
)
def test_what_does_not_fit_is_tried_again_and_then_told(
    serve_model: ServeModel, principal: Principal, text: str
) -> None:
    server = serve_model(completing(saying(text)), max_retries=1)
    with pytest.raises(UpstreamFailed) as raised:
        text_of(principal, response_schema=SCHEMA)
    assert raised.value.error_code == "upstream_unusable_answer"
    assert len(server.requests) == 2
    assert InferenceRecord.objects.get().error_code == "upstream_unusable_answer"


def test_another_throw_may_fit(serve_model: ServeModel, principal: Principal) -> None:
    said = iter([saying("No idea."), saying('{"city": "Bern"}')])

    def script(peer: Any) -> None:
        while peer.request():
            peer.answer(json.dumps(next(said)).encode())

    serve_model(in_turn(script), max_retries=1)
    assert text_of(principal, response_schema=SCHEMA) == '{"city": "Bern"}'


def test_any_object_is_held_to_be_one(serve_model: ServeModel, principal: Principal) -> None:
    serve_model(completing(saying("[1]")))
    with pytest.raises(UpstreamFailed):
        text_of(principal, json_object=True)


@pytest.mark.parametrize(
    "answer",
    [
        saying('{"city": "Be', "length"),
        saying("I cannot say that.", "content_filter"),
        saying("", "tool_calls", tool_calls=[{"id": "1", "function": {"name": "look"}}]),
    ],
)
def test_what_is_no_complete_text_has_no_form(
    serve_model: ServeModel, principal: Principal, answer: dict[str, Any]
) -> None:
    serve_model(completing(answer))
    text_of(principal, response_schema=SCHEMA, tools=(Tool("look"),))


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "thing"},
        {"$ref": "https://example.com/schema"},
        {"$ref": "file:///etc/passwd"},
        {"type": "string", "pattern": "("},
    ],
)
def test_what_is_no_schema_is_refused_before_anybody_is_asked(
    serve_model: ServeModel, principal: Principal, schema: dict[str, Any]
) -> None:
    server = serve_model(completing())
    with pytest.raises(ValidationFailed, match="not a JSON Schema"):
        text_of(principal, response_schema=schema)
    assert not server.requests


@pytest.mark.parametrize(("text", "fits"), [('{"city": "Bern"}', True), ('{"city": 3}', False)])
def test_a_stream_that_does_not_fit_ends_in_an_error(
    serve_model: ServeModel, principal: Principal, text: str, *, fits: bool
) -> None:
    serve_model(streaming(delta(text[:5]), delta(text[5:]), STOP, COUNTED, DONE))
    call = gateway.stream(asked(principal, response_schema=SCHEMA))
    try:
        if fits:
            list(call)
        else:
            with pytest.raises(ApiError) as raised:
                list(call)
            assert raised.value.error_code == "upstream_unusable_answer"
    finally:
        call.close()
    assert call.result.text == text
