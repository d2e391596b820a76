"""What does not fit is named by JSON Pointer."""

from typing import Any

import pytest

from intmod_site.api.bodies import parse_body
from intmod_site.api.errors import ValidationFailed
from registry.inference.endpoints import ENDPOINTS

MESSAGE = {"role": "user", "content": "Hi"}


@pytest.mark.parametrize(
    ("task", "body", "path", "code"),
    [
        ("generate", {}, "/prompt", "required"),
        ("generate", {"prompt": ""}, "/prompt", "invalid"),
        ("generate", {"prompt": 5}, "/prompt", "invalid"),
        ("generate", {"prompt": None}, "/prompt", "invalid"),
        ("generate", {"prompt": "a", "wrong": 1}, "/wrong", "unknown_field"),
        ("generate", {"prompt": "a", "max_tokens": 0}, "/max_tokens", "invalid"),
        ("generate", {"prompt": "a", "max_tokens": 1.5}, "/max_tokens", "invalid"),
        ("generate", {"prompt": "a", "max_tokens": True}, "/max_tokens", "invalid"),
        ("generate", {"prompt": "a", "temperature": 2.1}, "/temperature", "invalid"),
        ("generate", {"prompt": "a", "temperature": "0"}, "/temperature", "invalid"),
        ("generate", {"prompt": "a", "model": ""}, "/model", "invalid"),
        ("generate", {"prompt": "a", "stop": ["x"] * 9}, "/stop", "invalid"),
        ("generate", [], "/", "invalid"),
        ("generate", "text", "/", "invalid"),
        ("chat", {"messages": []}, "/messages", "invalid"),
        ("chat", {"messages": [MESSAGE, {"role": "user"}]}, "/messages/1/content", "required"),
        ("chat", {"messages": [{"role": "god", "content": "a"}]}, "/messages/0/role", "invalid"),
        ("chat", {"messages": [{**MESSAGE, "x": 1}]}, "/messages/0/x", "unknown_field"),
        ("code", {"instruction": "a", "language": "Py`thon"}, "/language", "invalid"),
        ("analyze", {"text": "a", "analyses": []}, "/analyses", "invalid"),
        ("embed", {"input": []}, "/input", "invalid"),
        ("embed", {"input": ["a"] * 1001}, "/input", "invalid"),
        ("embed", {"input": ["a", 3]}, "/input/1", "invalid"),
        ("classify", {"text": "a", "labels": ["one"]}, "/labels", "invalid"),
    ],
)
def test_the_field_at_fault_is_named(task: str, body: Any, path: str, code: str) -> None:
    with pytest.raises(ValidationFailed) as raised:
        parse_body(body, ENDPOINTS[task].request)
    (field,) = raised.value.fields
    assert (field.path, field.code) == (path, code)
    assert field.message in raised.value.message
