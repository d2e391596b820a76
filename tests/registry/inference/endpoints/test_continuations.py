"""generate, chat and code: how a request becomes a conversation, and its end a result."""

from typing import Any

import pytest

from intmod_site.api.bodies import parse_body
from intmod_site.api.errors import ValidationFailed
from registry.inference.calls import ChatCall, ChatResult, Message, Usage
from registry.inference.endpoints import ENDPOINTS
from tests.registry.inference.targets import target


def build(task: str, body: dict[str, Any], **target_changes: Any) -> ChatCall:
    endpoint = ENDPOINTS[task]
    call = endpoint.build(parse_body(body, endpoint.request), target(**target_changes))
    assert isinstance(call, ChatCall)
    return call


def present(task: str, body: dict[str, Any], text: str) -> Any:
    endpoint = ENDPOINTS[task]
    return endpoint.present(
        parse_body(body, endpoint.request), ChatResult(text, "stop", Usage(1, 1))
    )


def test_generate_asks_the_prompt_as_the_user() -> None:
    assert build("generate", {"prompt": "Hi"}).messages == (Message("user", "Hi"),)


def test_the_requests_system_prompt_goes_before_the_versions() -> None:
    body = {"prompt": "Hi", "system": "Be brief."}
    assert build("generate", body, parameters={"system": "Be long."}).messages[0] == Message(
        "system", "Be brief."
    )
    assert build("generate", {"prompt": "Hi"}, parameters={"system": "Be long."}).messages[
        0
    ] == Message("system", "Be long.")


def test_parameters_come_from_the_request_then_the_version_then_the_provider() -> None:
    version = {"temperature": 0.7, "max_tokens": 50, "stop": ["END"]}
    silent = build("generate", {"prompt": "Hi"}, parameters=version)
    assert (silent.temperature, silent.max_tokens, silent.stop) == (0.7, 50, ("END",))
    spoken = build(
        "generate",
        {"prompt": "Hi", "temperature": 0, "max_tokens": 5, "stop": "."},
        parameters=version,
    )
    assert (spoken.temperature, spoken.max_tokens, spoken.stop) == (0, 5, (".",))
    assert build("generate", {"prompt": "Hi"}).temperature is None


def test_max_tokens_stops_at_the_versions_limit() -> None:
    assert build("generate", {"prompt": "Hi", "max_tokens": 1000}).max_tokens == 1000
    with pytest.raises(ValidationFailed, match="at most 1000 tokens") as raised:
        build("generate", {"prompt": "Hi", "max_tokens": 1001})
    assert raised.value.fields[0].path == "/max_tokens"


def test_the_default_of_max_tokens_never_breaks_the_limit() -> None:
    assert build("generate", {"prompt": "Hi"}, max_tokens_limit=10).max_tokens == 10


def test_chat_keeps_its_own_system_message() -> None:
    body = {"messages": [{"role": "system", "content": "A"}, {"role": "user", "content": "B"}]}
    assert build("chat", body, parameters={"system": "C"}).messages == (
        Message("system", "A"),
        Message("user", "B"),
    )


def test_chat_answers_with_a_message() -> None:
    body = {"messages": [{"role": "user", "content": "B"}]}
    assert present("chat", body, "Hello") == {"role": "assistant", "content": "Hello"}


def test_code_shows_the_existing_code_to_the_model() -> None:
    body = {"instruction": "Sum a list.", "language": "Python", "context": "x = 1"}
    asked = build("code", body).messages[-1].content
    assert "Sum a list." in asked
    assert "x = 1" in asked


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Sure!\n```python\nprint(1)\n```\nDone.", "print(1)"),
        ("```\na\n\nb\n```", "a\n\nb"),
        ("```python\ncut off", "cut off"),
        ("  print(1)\n", "print(1)"),
    ],
)
def test_code_gives_the_first_block(text: str, code: str) -> None:
    body = {"instruction": "Print 1.", "language": "Python"}
    assert present("code", body, text) == {"code": code, "language": "Python"}
