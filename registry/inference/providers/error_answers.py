"""From what an upstream says when it refuses or fails, to the kind of error that it is.

Everybody puts it a little differently, so all known shapes are read in one place:

- OpenAI, Azure: `{"error": {"message", "type", "param", "code"}}`,
  https://platform.openai.com/docs/guides/error-codes
- Anthropic: `{"type": "error", "error": {"type", "message"}}`,
  https://platform.claude.com/docs/en/api/errors
- vLLM: the former, or `{"object": "error", "message", "type", "code"}` with the status as code
- llama.cpp: OpenAI's, type exceed_context_size_error; Ollama: that, or `{"error": "text"}`
- FastAPI's `{"detail": …}`; a proxy's HTML, of which nothing is shown
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import msgspec

from integrations.http.retry import retry_after_s
from registry.inference.providers.failures import Kind
from registry.inference.providers.reading import UNREADABLE
from registry.inference.providers.upstream_errors import UpstreamError

_STATUS_KINDS = {
    401: Kind.UNAUTHENTICATED,
    402: Kind.QUOTA_EXHAUSTED,
    403: Kind.FORBIDDEN,
    404: Kind.MODEL_NOT_FOUND,
    405: Kind.MISCONFIGURED,
    407: Kind.MISCONFIGURED,
    408: Kind.REQUEST_TIMEOUT,
    409: Kind.CONFLICT,
    410: Kind.MODEL_NOT_FOUND,
    413: Kind.REQUEST_TOO_LARGE,
    422: Kind.UNPROCESSABLE,
    429: Kind.RATE_LIMITED,
    503: Kind.OVERLOADED,
    529: Kind.OVERLOADED,
}

# Codes and types that say more than the status does, in lower case.
_NAMED_KINDS = {
    "context_length_exceeded": Kind.CONTEXT_LENGTH,
    "exceed_context_size_error": Kind.CONTEXT_LENGTH,
    "string_above_max_length": Kind.CONTEXT_LENGTH,
    "content_filter": Kind.CONTENT_FILTER,
    "content_policy_violation": Kind.CONTENT_FILTER,
    "invalid_prompt": Kind.CONTENT_FILTER,
    "insufficient_quota": Kind.QUOTA_EXHAUSTED,
    "billing_error": Kind.QUOTA_EXHAUSTED,
    "billing_hard_limit_reached": Kind.QUOTA_EXHAUSTED,
    "invalid_api_key": Kind.UNAUTHENTICATED,
    "model_not_found": Kind.MODEL_NOT_FOUND,
    "deploymentnotfound": Kind.MODEL_NOT_FOUND,
}

# What is only said in words; asked of a 4xx alone, because a 5xx may quote anything.
_WORDED_KINDS = (
    (
        re.compile(
            r"maximum context length|model's context length|prompt is too long"
            r"|exceeds? (?:the )?(?:available )?context (?:size|window|limit|length)"
            r"|input length and `?max_tokens`? exceed|too many (?:input )?tokens",
            re.IGNORECASE,
        ),
        Kind.CONTEXT_LENGTH,
    ),
    (
        re.compile(r"content filtering policy|content management policy", re.IGNORECASE),
        Kind.CONTENT_FILTER,
    ),
    (
        re.compile(r"credit balance is too low|exceeded your current quota", re.IGNORECASE),
        Kind.QUOTA_EXHAUSTED,
    ),
)

# An error within a stream has no status of its own.
_TYPE_STATUSES = {
    "invalid_request_error": 400,
    "badrequesterror": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "notfounderror": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "rate_limit_exceeded": 429,
    "timeout_error": 504,
    "overloaded_error": 529,
}


class _Said(msgspec.Struct, gc=False):
    """An error object; upstreams differ in the types of its fields."""

    object: Any = None
    message: Any = None
    type: Any = None
    code: Any = None
    param: Any = None
    error: Any = None
    detail: Any = None


_SAID = msgspec.json.Decoder(_Said)


def error_from_answer(status: int, headers: Mapping[str, str], body: bytes) -> UpstreamError:
    """Classify an answer that is not 2xx.

    Args:
        status: Of the answer.
        headers: By name in any case, or by lower-case name; Retry-After, retry-after-ms and
            x-should-retry count.
        body: Whatever came with it.
    """
    said = _read(body)
    kind = _kind(status, said)
    return UpstreamError(
        kind,
        _text(said.message),
        upstream_status=status,
        retry_after_s=_wait_s(headers),
        retryable=False if headers.get("x-should-retry") == "false" else None,
    )


def error_in(payload: bytes) -> UpstreamError | None:
    """Classify an error that came as JSON within a 2xx answer; None if it is none."""
    said = _read(payload)
    if said.error is None and said.object != "error":
        return None
    code = _text(said.code)
    status = int(code) if re.fullmatch("[45][0-9]{2}", code) else None
    status = status or _TYPE_STATUSES.get(_text(said.type).lower(), 500)
    return UpstreamError(_kind(status, said), _text(said.message))


def _read(body: bytes) -> _Said:
    try:
        outer = _SAID.decode(body)
    except UNREADABLE:
        return _Said()
    inner = outer.error
    if isinstance(inner, dict):
        known = {name: inner.get(name) for name in ("message", "type", "code", "param")}
        return _Said(**known, error=inner)
    if outer.message is None:
        outer.message = outer.detail if inner is None else inner
    return outer


def _text(value: Any) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _kind(status: int, said: _Said) -> Kind:
    for name in (_text(said.code), _text(said.type)):
        if named := _NAMED_KINDS.get(name.lower()):
            return named
    if 400 <= status < 500:
        message = _text(said.message)
        for words, kind in _WORDED_KINDS:
            if words.search(message):
                return kind
    if status == 404 and said.param not in (None, "", "model"):
        # A file or an image that the request names, say: the model is there.
        return Kind.BAD_REQUEST
    if status in _STATUS_KINDS:
        return _STATUS_KINDS[status]
    if status >= 500:
        return Kind.SERVER_ERROR
    # Redirects are not followed: the base URL is another one.
    return Kind.BAD_REQUEST if status >= 400 else Kind.MISCONFIGURED


def _wait_s(headers: Mapping[str, str]) -> float | None:
    exact_ms = headers.get("retry-after-ms")
    if exact_ms and re.fullmatch(r"[0-9]{1,8}(\.[0-9]+)?", exact_ms):
        return float(exact_ms) / 1000
    asked = headers.get("retry-after")
    return retry_after_s(asked, _now(headers)) if asked else None


def _now(headers: Mapping[str, str]) -> datetime:
    """Give the upstream's own time, so that clocks which differ do not matter; else ours."""
    try:
        now = parsedate_to_datetime(headers.get("date") or "")
    except (ValueError, TypeError, IndexError, OverflowError):
        return datetime.now(UTC)
    return now if now.tzinfo else now.replace(tzinfo=UTC)
