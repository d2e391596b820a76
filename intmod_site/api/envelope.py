"""The shape of every answer under /api/v1: success, data, error, timestamp, request_id."""

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import orjson
from django.http import HttpResponse
from django.utils.functional import Promise
from rest_framework.renderers import BaseRenderer

from intmod_site.api.errors import ApiError
from intmod_site.request_context import current_request_id

DOCS_PATH = "/api/docs"


def now_text() -> str:
    """Give the present moment as RFC 3339 in UTC with milliseconds."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%f}"[:-3] + "Z"


def success(data: Any) -> dict[str, Any]:
    """Wrap what a request asked for."""
    return {
        "success": True,
        "data": data,
        "error": None,
        "timestamp": now_text(),
        "request_id": current_request_id(),
    }


def failure(error: ApiError) -> dict[str, Any]:
    """Wrap why a request was not answered."""
    return {
        "success": False,
        "data": None,
        "error": error.message,
        "timestamp": now_text(),
        "request_id": current_request_id(),
        "error_details": {
            "code": error.error_code,
            "status": error.status,
            "fields": [field.as_dict() for field in error.fields],
            "retry_after_s": error.retry_after_s,
            "docs": DOCS_PATH,
        },
    }


def dump(value: Any) -> bytes:
    """Write JSON; decimals become strings so that no money is rounded on the way."""
    try:
        return orjson.dumps(value, default=_plain, option=orjson.OPT_UTC_Z)
    except TypeError:
        # PostgreSQL gives a stored 1e20 back as a whole number, and orjson stops at 64 bits.
        return json.dumps(value, default=_plainer).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} is not JSON.")


def _plainer(value: Any) -> Any:
    """Give what orjson writes by itself, then what `_plain` knows."""
    if isinstance(value, date):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else _plain(value)


def answer(
    data: Any, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """Answer a plain view with the envelope."""
    return HttpResponse(
        dump(success(data)), status=status, content_type="application/json", headers=headers
    )


def refuse(error: ApiError, *, headers: Mapping[str, str] | None = None) -> HttpResponse:
    """Answer with an error's envelope, status and Retry-After."""
    response = HttpResponse(
        dump(failure(error)), status=error.status, content_type="application/json", headers=headers
    )
    for name, value in error_headers(error).items():
        response.headers[name] = value
    return response


def error_headers(error: ApiError) -> dict[str, str]:
    """Give the HTTP headers that belong to an error's status (RFC 9110)."""
    headers: dict[str, str] = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="intmod"'
    if error.retry_after_s is not None:
        # Retry-After takes whole seconds; rounding down would invite a second refusal.
        headers["Retry-After"] = str(-int(-error.retry_after_s // 1))
    return headers


class EnvelopeRenderer(BaseRenderer):
    """Wraps what a DRF view returned; errors arrive wrapped from the exception handler."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None
    ) -> bytes:
        """Give the bytes of the answer; 204 has none."""
        response = renderer_context["response"]
        if response.status_code == 204:
            return b""
        return dump(data if response.exception else success(data))
