"""One view for all of MLflow's routes: who calls, what was sent, and errors as its clients know."""

from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import orjson
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from authz.api.authentication import authenticate
from authz.api.denials import record_if_denied
from authz.api.permissions import check
from authz.identity.principal import Principal
from intmod_site.api.envelope import error_headers
from intmod_site.api.errors import ApiError, MethodNotAllowed, NotFound, ValidationFailed
from intmod_site.api.handler import as_api_error
from intmod_site.api.parser import read_json
from intmod_site.api.strict_json import check_string
from intmod_site.plain_routes import plain
from intmod_site.turns import turn_to_write

REPEATED = ("order_by", "stages")
"""Parameters of a query that may stand there more than once."""

# By our code where it says more than the status. https://mlflow.org/docs/latest/rest-api.html
CODES = {"already_exists": (400, "RESOURCE_ALREADY_EXISTS")}
STATUSES = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "RESOURCE_DOES_NOT_EXIST",
    405: "ENDPOINT_NOT_FOUND",
    409: "RESOURCE_CONFLICT",
    429: "REQUEST_LIMIT_EXCEEDED",
    503: "TEMPORARILY_UNAVAILABLE",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What one method of one route takes, needs and does.

    Args:
        permission: What the caller must hold.
        request: What is sent; fields it does not have are ignored, as clients of later versions
            send more.
        answer: Gives the JSON to answer, or its bytes.
    """

    permission: str
    request: type[msgspec.Struct]
    answer: Callable[[Principal, Any], Any]


def mlflow_view(endpoints: dict[str, Endpoint]) -> Callable[[HttpRequest], HttpResponse]:
    """Serve the methods of one route."""

    @plain
    @csrf_exempt
    def view(request: HttpRequest) -> HttpResponse:
        try:
            return _serve(request, endpoints)
        except Exception as raised:  # noqa: BLE001 -- whatever it is, it is answered as MLflow does
            record_if_denied(raised, request)
            return refuse(as_api_error(raised), request)

    return view


@csrf_exempt
def unknown(request: HttpRequest) -> HttpResponse:
    """Answer for what MLflow has and the registry does not."""
    error = NotFound("The registry serves no such route of MLflow's.", code="endpoint_not_found")
    return refuse(error, request)


def refuse(error: ApiError, request: HttpRequest) -> HttpResponse:
    """Answer an error; clients try 408, 429 and 5xx again, so theirs is never one of those."""
    request.api_error = error  # type: ignore[attr-defined]
    status = 400 if error.status in {413, 415, 422} else error.status
    default = "INTERNAL_ERROR" if status >= 500 else "INVALID_PARAMETER_VALUE"
    status, code = CODES.get(error.error_code, (status, STATUSES.get(status, default)))
    response = _json({"error_code": code, "message": error.message}, status=status)
    for name, value in error_headers(error).items():
        response.headers[name] = value
    return response


def _serve(request: HttpRequest, endpoints: dict[str, Endpoint]) -> HttpResponse:
    _read_basic(request)
    principal = authenticate(request)
    endpoint = endpoints.get(request.method or "")
    if endpoint is None:
        raise MethodNotAllowed(f"Method {request.method} is not allowed here.")
    check(principal, endpoint.permission)
    assert principal is not None  # noqa: S101 -- check() lets nobody else pass
    given = _query(request) if request.method == "GET" else read_json(request)
    try:
        # Not strict: clients write 64-bit numbers as text, and queries are text anyway.
        asked = msgspec.convert(given, endpoint.request, strict=False)
    except msgspec.ValidationError as error:
        raise ValidationFailed(str(error)) from None
    if request.method == "GET":
        return _json(endpoint.answer(principal, asked))
    with turn_to_write():
        return _json(endpoint.answer(principal, asked))


def _read_basic(request: HttpRequest) -> None:
    """Take the password of a Basic credential for an API key; the user's name says nothing then.

    So do clients with MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD: RFC 7617, section 2.
    """
    scheme, _, encoded = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
    if scheme.lower() != "basic":
        return
    try:
        _, _, key = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        key = ""
    request.META["HTTP_AUTHORIZATION"] = f"Bearer {key}"


def _query(request: HttpRequest) -> dict[str, Any]:
    given: dict[str, Any] = {}
    for name, values in request.GET.lists():
        for value in values:
            check_string(value, refuse=ValidationFailed)
        given[name] = values if name in REPEATED else values[-1]
    return given


def _json(value: Any, *, status: int = 200) -> HttpResponse:
    body = value if isinstance(value, bytes) else orjson.dumps(value)
    return HttpResponse(body, status=status, content_type="application/json")
