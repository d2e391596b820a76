"""Every way to fail: what the caller gets, who is asked next, what the breaker counts."""

import inspect

import pytest

from integrations.http import errors as transport
from registry.inference.providers.failures import RULES, TRANSPORT_KINDS, Fallback, Kind
from registry.inference.providers.key_masking import MAX_SHOWN_CHARACTERS, shown
from registry.inference.providers.upstream_errors import UpstreamError, transport_error

NONE, ANY = Fallback.NONE, Fallback.ON_ERROR

# status, code, retryable, fallback, counts against the breaker
TABLE = {
    Kind.BAD_REQUEST: (400, "upstream_bad_request", False, NONE, False),
    Kind.UNPROCESSABLE: (400, "upstream_unprocessable", False, NONE, False),
    Kind.REQUEST_TOO_LARGE: (400, "upstream_request_too_large", False, NONE, False),
    Kind.CONTEXT_LENGTH: (
        400,
        "context_length_exceeded",
        False,
        Fallback.ON_CONTEXT_LENGTH,
        False,
    ),
    Kind.CONTENT_FILTER: (400, "content_filter", False, Fallback.ON_CONTENT_FILTER, False),
    Kind.UNAUTHENTICATED: (502, "upstream_auth_failed", False, ANY, False),
    Kind.FORBIDDEN: (502, "upstream_auth_failed", False, ANY, False),
    Kind.QUOTA_EXHAUSTED: (502, "upstream_quota_exhausted", False, ANY, False),
    Kind.MODEL_NOT_FOUND: (502, "upstream_model_not_found", False, ANY, False),
    Kind.MISCONFIGURED: (502, "upstream_misconfigured", False, ANY, False),
    Kind.REQUEST_TIMEOUT: (504, "upstream_request_timeout", True, ANY, True),
    Kind.CONFLICT: (502, "upstream_conflict", True, ANY, False),
    Kind.RATE_LIMITED: (429, "upstream_rate_limited", True, ANY, True),
    Kind.SERVER_ERROR: (502, "upstream_server_error", True, ANY, True),
    Kind.OVERLOADED: (502, "upstream_overloaded", True, ANY, True),
    Kind.UNREACHABLE: (502, "upstream_unreachable", True, ANY, True),
    Kind.RESET: (502, "upstream_reset", True, ANY, True),
    Kind.CONNECT_TIMEOUT: (504, "upstream_connect_timeout", True, ANY, True),
    Kind.FIRST_BYTE_TIMEOUT: (504, "upstream_first_byte_timeout", True, ANY, True),
    Kind.IDLE_TIMEOUT: (504, "upstream_idle_timeout", True, ANY, True),
    Kind.TOTAL_TIMEOUT: (504, "upstream_total_timeout", False, ANY, True),
    Kind.MALFORMED: (502, "upstream_malformed", False, ANY, True),
    Kind.STREAM_CUT: (502, "upstream_stream_cut", True, ANY, True),
    Kind.UNUSABLE_ANSWER: (502, "upstream_unusable_answer", True, ANY, False),
    Kind.CANCELLED: (502, "call_cancelled", False, NONE, False),
}


@pytest.mark.parametrize("kind", Kind)
def test_what_follows_from_each_kind(kind: Kind) -> None:
    error = UpstreamError(kind, retry_after_s=3.0)
    assert (error.status, error.code, error.retryable, error.fallback, error.trips) == TABLE[kind]
    answer = error.to_api_error()
    assert (answer.status, answer.error_code) == TABLE[kind][:2]
    assert answer.retry_after_s == 3.0
    assert answer.message.endswith(".")


def test_what_the_caller_did_wrong_is_never_tried_again_nor_held_against_the_upstream() -> None:
    for kind, rule in RULES.items():
        if rule.error.status == 400:
            assert not rule.retryable, kind
            assert not rule.trips, kind
            assert rule.fallback is not Fallback.ON_ERROR, kind


@pytest.mark.parametrize("kind", [Kind.BAD_REQUEST, Kind.CONTEXT_LENGTH, Kind.RATE_LIMITED])
def test_the_upstreams_words_reach_the_caller(kind: Kind) -> None:
    assert (
        UpstreamError(kind, "temperature: too hot")
        .to_api_error()
        .message.endswith(": temperature: too hot")
    )


@pytest.mark.parametrize("kind", [Kind.UNAUTHENTICATED, Kind.FORBIDDEN, Kind.QUOTA_EXHAUSTED])
def test_words_about_our_key_do_not(kind: Kind) -> None:
    error = UpstreamError(kind, "Incorrect API key provided: my-own-key")
    assert "my-own-key" not in error.to_api_error().message
    assert "my-own-key" not in str(error)


def test_every_error_of_the_transport_has_its_kind() -> None:
    classes = [
        value
        for _, value in inspect.getmembers(transport, inspect.isclass)
        if issubclass(value, transport.OutboundError)
    ]
    abstract = {transport.OutboundError.code, transport.DeadlineExceeded.code}
    codes = {found.code for found in classes} - abstract | set(transport.Deadline)
    assert codes == set(TRANSPORT_KINDS)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("connect_failed", Kind.UNREACHABLE),
        ("resolution_failed", Kind.UNREACHABLE),
        ("connection_reset", Kind.RESET),
        ("connect_timeout", Kind.CONNECT_TIMEOUT),
        ("first_byte_timeout", Kind.FIRST_BYTE_TIMEOUT),
        ("idle_timeout", Kind.IDLE_TIMEOUT),
        ("total_timeout", Kind.TOTAL_TIMEOUT),
        ("malformed_response", Kind.MALFORMED),
        ("line_too_long", Kind.MALFORMED),
        ("blocked_destination", Kind.MISCONFIGURED),
        ("stream_closed", Kind.CANCELLED),
        ("of_a_new_kind", Kind.RESET),
    ],
)
def test_errors_of_the_transport(code: str, kind: Kind) -> None:
    assert transport_error(code, "10.0.0.5:443 said no").kind is kind
    assert "10.0.0.5" not in transport_error(code, "10.0.0.5:443 said no").message


@pytest.mark.parametrize(
    "secret",
    [
        "sk-proj-abcdefgh12345678",
        "sk-ant-api03-abc_DEF-123",
        "sk-abc*****wxyz",
        "gsk_abcdefghijk",
        "AIzaSyA1234567890abcdefghijklm",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "0123456789abcdef0123456789abcdef",
        "Ab3dEf6hIj9lMn2pQr5tUv8xYz1bCd4f",
    ],
)
def test_what_looks_like_a_key_is_masked(secret: str) -> None:
    for text in (f"key {secret} is wrong", f'"{secret}"', secret):
        assert secret not in shown(text)
        assert "[key]" in shown(text)


@pytest.mark.parametrize(
    "text", ["Authorization: Bearer abcdefgh", "api_key=letmein1", "token: x9y8z7"]
)
def test_what_is_called_a_key_is_masked(text: str) -> None:
    assert "[key]" in shown(text)


@pytest.mark.parametrize(
    "text",
    [
        "The model `meta-llama/Llama-3.3-70B-Instruct-Turbo` does not exist.",
        "maximum context length is 131072 tokens (parameter=input_tokens, value=156632)",
        "max_token: 128000 is too many",
        "request 123e4567-e89b-12d3-a456-426614174000 failed",
    ],
)
def test_other_words_stay(text: str) -> None:
    assert shown(text) == text


def test_long_words_are_cut_and_lines_joined() -> None:
    assert shown("a\n\n  b") == "a b"
    assert len(shown("word " * 1000)) == MAX_SHOWN_CHARACTERS
    assert "sk-" not in shown("x" * 490 + " sk-abcdefghijklmnop")
