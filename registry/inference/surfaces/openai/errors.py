"""Refusals as OpenAI's clients read them.

They choose their exception by the status, try again after 408, 409, 429 and 5xx unless
`x-should-retry` says otherwise, and wait as `retry-after-ms` or `Retry-After` says.

Source: https://platform.openai.com/docs/guides/error-codes and the official client's source.
"""

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse

from intmod_site.api.envelope import error_headers
from intmod_site.api.errors import ApiError
from intmod_site.api.handler import as_api_error

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
}
WORTH_RETRYING = {429, 503}
LONGEST_WAIT_S = 60.0


def error_body(error: ApiError) -> dict[str, Any]:
    """Give the error object, also the last word of a stream that broke off."""
    kind = "invalid_request_error" if error.status < 500 else "server_error"
    param = error.fields[0].path.strip("/").replace("/", ".") if error.fields else None
    return {
        "error": {
            "message": error.message,
            "type": _TYPES.get(error.status, kind),
            "param": param or None,
            "code": error.error_code,
        }
    }


def refuse(raised: Exception, request: HttpRequest) -> HttpResponse:
    """Answer whatever was raised."""
    error = as_api_error(raised)
    request.api_error = error  # type: ignore[attr-defined]
    return HttpResponse(
        orjson.dumps(error_body(error)),
        status=error.status,
        content_type="application/json",
        headers=error_headers(error) | retry_headers(error),
    )


def retry_headers(error: ApiError) -> dict[str, str]:
    """Say whether asking again makes sense: what failed upstream was tried again already."""
    wait_s = error.retry_after_s
    headers = {} if wait_s is None else {"retry-after-ms": str(int(wait_s * 1000))}
    worth = error.status in WORTH_RETRYING if wait_s is None else wait_s <= LONGEST_WAIT_S
    worth = worth and error.error_code != "budget_exceeded"
    return headers | {"x-should-retry": "true" if worth else "false"}
