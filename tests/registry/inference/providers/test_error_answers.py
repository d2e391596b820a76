"""How each provider puts its errors, and what kind they are."""

from typing import Any

import orjson
import pytest
import time_machine

from registry.inference.providers.anthropic import AnthropicAdapter
from registry.inference.providers.error_answers import error_from_answer, error_in
from registry.inference.providers.failures import Kind
from registry.inference.providers.openai import OpenAIAdapter


def openai(message: str, **fields: Any) -> bytes:
    said = {"message": message, "type": "invalid_request_error", "param": None, "code": None}
    return orjson.dumps({"error": {**said, **fields}})


def anthropic(kind: str, message: str = "m") -> bytes:
    error = {"type": kind, "message": message}
    return orjson.dumps({"type": "error", "error": error, "request_id": "req_011"})


def vllm(message: str, kind: str, code: int) -> bytes:
    body = {"object": "error", "message": message, "type": kind, "param": None, "code": code}
    return orjson.dumps(body)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        # By the status alone, whatever comes with it.
        (301, b"", Kind.MISCONFIGURED),
        (400, b"", Kind.BAD_REQUEST),
        (401, b"", Kind.UNAUTHENTICATED),
        (402, b"", Kind.QUOTA_EXHAUSTED),
        (403, b"", Kind.FORBIDDEN),
        (404, b"404 page not found", Kind.MODEL_NOT_FOUND),
        (405, b"", Kind.MISCONFIGURED),
        (408, b"", Kind.REQUEST_TIMEOUT),
        (409, b"", Kind.CONFLICT),
        (410, b"", Kind.MODEL_NOT_FOUND),
        (413, b"<html>Request Entity Too Large</html>", Kind.REQUEST_TOO_LARGE),
        (418, b"", Kind.BAD_REQUEST),
        (422, b'{"detail":[{"loc":["body"],"msg":"field required"}]}', Kind.UNPROCESSABLE),
        (429, b"", Kind.RATE_LIMITED),
        (500, b"", Kind.SERVER_ERROR),
        (502, b"<html>Bad Gateway</html>", Kind.SERVER_ERROR),
        (503, b"", Kind.OVERLOADED),
        (504, b"", Kind.SERVER_ERROR),
        (529, b"", Kind.OVERLOADED),
        (500, b"\xff\xfe", Kind.SERVER_ERROR),
        (500, b"[1]", Kind.SERVER_ERROR),
        # OpenAI and Azure
        (400, openai("Unsupported value: 'temperature'", param="temperature"), Kind.BAD_REQUEST),
        (
            400,
            openai("This model's maximum context length is 8192", code="context_length_exceeded"),
            Kind.CONTEXT_LENGTH,
        ),
        (400, openai("filtered", code="content_filter"), Kind.CONTENT_FILTER),
        (400, openai("Invalid prompt", code="content_policy_violation"), Kind.CONTENT_FILTER),
        (401, openai("Incorrect API key provided", code="invalid_api_key"), Kind.UNAUTHENTICATED),
        (400, openai("wrong key", code="invalid_api_key"), Kind.UNAUTHENTICATED),
        (404, openai("The model `x` does not exist", code="model_not_found"), Kind.MODEL_NOT_FOUND),
        (403, openai("no access to model `x`", code="model_not_found"), Kind.MODEL_NOT_FOUND),
        (404, openai("no deployment", code="DeploymentNotFound"), Kind.MODEL_NOT_FOUND),
        (404, openai("No such File object", param="file_id"), Kind.BAD_REQUEST),
        (404, openai("No such model", param="model"), Kind.MODEL_NOT_FOUND),
        (429, openai("slow down", code="rate_limit_exceeded"), Kind.RATE_LIMITED),
        (
            429,
            openai("You exceeded your current quota", code="insufficient_quota"),
            Kind.QUOTA_EXHAUSTED,
        ),
        # Anthropic
        (400, anthropic("invalid_request_error"), Kind.BAD_REQUEST),
        (
            400,
            anthropic(
                "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum"
            ),
            Kind.CONTEXT_LENGTH,
        ),
        (
            400,
            anthropic(
                "invalid_request_error",
                "input length and `max_tokens` exceed context limit: 190000 + 20000 > 200000",
            ),
            Kind.CONTEXT_LENGTH,
        ),
        (
            400,
            anthropic("invalid_request_error", "Output blocked by content filtering policy"),
            Kind.CONTENT_FILTER,
        ),
        (
            400,
            anthropic("invalid_request_error", "Your credit balance is too low to access the API"),
            Kind.QUOTA_EXHAUSTED,
        ),
        (401, anthropic("authentication_error", "invalid x-api-key"), Kind.UNAUTHENTICATED),
        (403, anthropic("permission_error"), Kind.FORBIDDEN),
        (404, anthropic("not_found_error", "model: claude-0"), Kind.MODEL_NOT_FOUND),
        (413, anthropic("request_too_large"), Kind.REQUEST_TOO_LARGE),
        (429, anthropic("rate_limit_error"), Kind.RATE_LIMITED),
        (500, anthropic("api_error"), Kind.SERVER_ERROR),
        (529, anthropic("overloaded_error"), Kind.OVERLOADED),
        # vLLM, llama.cpp, Ollama
        (
            400,
            vllm("This model's maximum context length is 4096 tokens.", "BadRequestError", 400),
            Kind.CONTEXT_LENGTH,
        ),
        (
            400,
            openai(
                "the model's context length is only 1024 tokens", param="input_tokens", code=400
            ),
            Kind.CONTEXT_LENGTH,
        ),
        (404, vllm("The model `x` does not exist.", "NotFoundError", 404), Kind.MODEL_NOT_FOUND),
        (
            400,
            openai(
                "the request exceeds the available context size", type="exceed_context_size_error"
            ),
            Kind.CONTEXT_LENGTH,
        ),
        (500, openai("too long", type="exceed_context_size_error", code=500), Kind.CONTEXT_LENGTH),
        (404, openai("model 'x' not found", type="not_found_error"), Kind.MODEL_NOT_FOUND),
        (400, b'{"error":"invalid options"}', Kind.BAD_REQUEST),
        # A 5xx may quote anything.
        (500, openai("failed while reporting: prompt is too long"), Kind.SERVER_ERROR),
    ],
)
def test_answers(status: int, body: bytes, kind: Kind) -> None:
    error = error_from_answer(status, {}, body)
    assert (error.kind, error.upstream_status) == (kind, status)
    for adapter in (OpenAIAdapter(), AnthropicAdapter()):
        assert adapter.classify(status, {}, body).kind is kind


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (openai("Too hot."), "Too hot."),
        (anthropic("api_error", "Oh."), "Oh."),
        (vllm("Hm.", "BadRequestError", 400), "Hm."),
        (b'{"error":"Ouch."}', "Ouch."),
        (b'{"detail":"Nope."}', "Nope."),
        (b'{"detail":[{"msg":"required"}]}', '[{"msg":"required"}]'),
        (b"<html><h1>Bad Gateway</h1></html>", ""),
        (b"", ""),
    ],
)
def test_what_was_said(body: bytes, detail: str) -> None:
    assert error_from_answer(400, {}, body).detail == detail


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "7", "retry-after-ms": "1500"}, 1.5),
        ({"retry-after": "soon"}, None),
        ({"retry-after-ms": "-1", "retry-after": "2"}, 2.0),
        (
            {
                "retry-after": "Mon, 23 Nov 2026 06:00:30 GMT",
                "date": "Mon, 23 Nov 2026 06:00:00 GMT",
            },
            30.0,
        ),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], wait_s: float | None) -> None:
    assert error_from_answer(429, headers, b"").retry_after_s == wait_s


@time_machine.travel("2026-11-23T06:00:00Z", tick=False)
def test_without_the_upstreams_time_ours_counts() -> None:
    headers = {"retry-after": "Mon, 23 Nov 2026 06:00:30 GMT"}
    assert error_from_answer(503, headers, b"").retry_after_s == 30.0


def test_an_upstream_may_say_that_trying_again_is_of_no_use() -> None:
    assert error_from_answer(500, {}, b"").retryable
    assert not error_from_answer(500, {"x-should-retry": "false"}, b"").retryable
    assert not error_from_answer(400, {"x-should-retry": "true"}, b"").retryable


@pytest.mark.parametrize("payload", [b"{}", b"", b'{"choices":[],"error":null}', b"nonsense"])
def test_what_is_no_error(payload: bytes) -> None:
    assert error_in(payload) is None
