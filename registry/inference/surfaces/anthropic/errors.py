"""Refusals as Anthropic's clients read them.

Source: https://platform.claude.com/docs/en/api/errors.
"""

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse

from intmod_site.api.envelope import error_headers
from intmod_site.api.errors import ApiError
from intmod_site.api.handler import as_api_error
from intmod_site.request_context import current_request_id
from registry.inference.surfaces.openai.errors import retry_headers

_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}


def error_body(error: ApiError) -> dict[str, Any]:
    """Give the error object, also the last event of a stream that broke off."""
    kind = "invalid_request_error" if error.status < 500 else "api_error"
    return {
        "type": "error",
        "error": {"type": _TYPES.get(error.status, kind), "message": error.message},
        "request_id": current_request_id(),
    }


def refuse(raised: Exception, request: HttpRequest) -> HttpResponse:
    """Answer whatever was raised."""
    error = as_api_error(raised)
    request.api_error = error  # type: ignore[attr-defined]
    return HttpResponse(
        orjson.dumps(error_body(error)),
        status=error.status,
        content_type="application/json",
        headers=error_headers(error)
        | retry_headers(error)
        | {"request-id": current_request_id() or ""},
    )
