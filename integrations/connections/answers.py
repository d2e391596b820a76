"""What a caller gets of an external system's answer."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from integrations.http.messages import OutboundResponse
from intmod_site.api.errors import MalformedRequest
from intmod_site.api.strict_json import parse_json

SHOWN_HEADERS = frozenset(
    {
        "cache-control",
        "content-disposition",
        "content-language",
        "content-location",
        "content-type",
        "date",
        "deprecation",
        "etag",
        "expires",
        "last-modified",
        "link",
        "location",
        "ratelimit",
        "ratelimit-limit",
        "ratelimit-policy",
        "ratelimit-remaining",
        "ratelimit-reset",
        "retry-after",
        "sunset",
        "vary",
        "x-ratelimit-limit",
        "x-ratelimit-remaining",
        "x-ratelimit-reset",
        "x-request-id",
        "x-total-count",
    }
)
"""No header that sets a session or asks for a credential leaves this house."""

MASK = "[secret]"
SHORTEST_SECRET = 6


@dataclass(frozen=True, slots=True)
class ExternalAnswer:
    """An external system's answer, whatever its status.

    Args:
        status: HTTP status of the last attempt.
        headers: Those of `SHOWN_HEADERS`, by lower-case name.
        body: A JSON value, text, base64 of other bytes, or None.
        body_encoding: json, text, base64 or none: what `body` is.
        attempts: How often it was asked.
        duration_ms: In all, waits included.
    """

    status: int
    headers: dict[str, str]
    body: Any = field(repr=False)
    body_encoding: str
    attempts: int
    duration_ms: float


def answer_of(
    response: OutboundResponse, *, secrets: tuple[str, ...], attempts: int, duration_ms: float
) -> ExternalAnswer:
    """Make the caller's answer: listed headers, the body read, our secrets masked."""
    headers = {
        name.lower(): mask_secrets(value, secrets)
        for name, value in response.headers.items()
        if name.lower() in SHOWN_HEADERS
    }
    body, encoding = read_body(response.body, response.headers, secrets)
    return ExternalAnswer(response.status, headers, body, encoding, attempts, round(duration_ms, 3))


def read_body(
    body: bytes, headers: Mapping[str, str], secrets: tuple[str, ...] = ()
) -> tuple[Any, str]:
    """Give the body as JSON if it is, as text if it can be, else as base64; and which."""
    if not body:
        return None, "none"
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        for secret in secrets:
            body = body.replace(secret.encode(), MASK.encode())
        return base64.b64encode(body).decode(), "base64"
    media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "application/json" or media_type.endswith("+json"):
        try:
            # Read first: JSON can write a secret in many ways.
            return _masked(parse_json(body, limit_bytes=len(body)), secrets), "json"
        except MalformedRequest:
            pass
    return mask_secrets(text, secrets), "text"


def forms_of(secret: str) -> set[str]:
    """Give a secret as texts may hold it: as it is, in a URL, in a JSON string."""
    escaped = json.dumps(secret, ensure_ascii=False)[1:-1]
    return {secret, quote(secret, safe=""), escaped, escaped.replace("/", "\\/")}


def _masked(value: Any, secrets: tuple[str, ...]) -> Any:
    if isinstance(value, str):
        return mask_secrets(value, secrets)
    if isinstance(value, list):
        return [_masked(inner, secrets) for inner in value]
    if isinstance(value, dict):
        return {
            mask_secrets(name, secrets): _masked(inner, secrets) for name, inner in value.items()
        }
    return value


def mask_secrets(text: str, secrets: tuple[str, ...]) -> str:
    """Take out what we proved ourselves with: some systems say it back."""
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text
