"""One place that turns whatever a view raised into an answer in the envelope."""

import logging
from typing import Any

from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions as drf
from rest_framework.response import Response

from intmod_site.api import errors
from intmod_site.api.envelope import error_headers, failure, refuse

log = logging.getLogger("intmod.api")


def handle_exception(raised: Exception, context: dict[str, Any]) -> Response:
    """Answer for DRF; nothing is raised further, so no answer ever leaves the envelope."""
    error = as_api_error(raised)
    context["request"]._request.api_error = error  # noqa: SLF001
    headers = {**error_headers(error), **getattr(raised, "headers", {})}
    response = Response(failure(error), status=error.status, headers=headers)
    response.exception = True
    return response


def refuse_exception(raised: Exception, request: HttpRequest) -> HttpResponse:
    """Answer for plain views."""
    error = as_api_error(raised)
    request.api_error = error  # type: ignore[attr-defined]
    return refuse(error)


def as_api_error(raised: Exception) -> errors.ApiError:
    """Map what Django and DRF raise onto our own errors; anything else is our fault."""
    match raised:
        case errors.ApiError():
            return raised
        case drf.ValidationError():
            return from_serializer(raised.detail)
        case DjangoValidationError():
            return from_model(raised)
        case Http404() | drf.NotFound():
            return errors.NotFound("There is no such object.")
        case drf.MethodNotAllowed():
            return errors.MethodNotAllowed(str(raised.detail))
        case drf.UnsupportedMediaType():
            return errors.UnsupportedMediaType("Send the body as Content-Type: application/json.")
        case drf.NotAcceptable():
            return errors.NotFound("This route answers application/json.", code="not_acceptable")
        case drf.NotAuthenticated() | drf.AuthenticationFailed():
            return errors.NotAuthenticated(str(raised.detail))
        case drf.PermissionDenied() | DjangoPermissionDenied():
            return errors.PermissionDenied("You may not do this.")
        case RequestDataTooBig():
            return errors.PayloadTooLarge("The body is too large.")
    log.error("unhandled exception", exc_info=raised)
    return errors.InternalError(
        "Something went wrong on our side. Tell the operator the request id."
    )


def from_serializer(detail: Any) -> errors.ValidationFailed:
    """Flatten DRF's nested error detail into fields named by JSON Pointer."""
    fields = tuple(_flatten(detail, ""))
    first = fields[0]
    where = first.path.lstrip("/").replace("/", ".")
    message = f"{where}: {first.message}" if where else first.message
    return errors.ValidationFailed(message, fields=fields)


def _flatten(detail: Any, path: str) -> list[errors.FieldError]:
    if isinstance(detail, dict):
        return [
            error
            for name, inner in detail.items()
            for error in _flatten(
                inner, path if name == "non_field_errors" else f"{path}/{_pointer(name)}"
            )
        ]
    if isinstance(detail, list):
        return [
            error
            for index, inner in enumerate(detail)
            for error in _flatten(
                inner, f"{path}/{index}" if isinstance(inner, dict | list) else path
            )
        ]
    return [errors.FieldError(path or "/", getattr(detail, "code", "invalid"), str(detail))]


def _pointer(name: Any) -> str:
    return str(name).replace("~", "~0").replace("/", "~1")


def from_model(raised: DjangoValidationError) -> errors.ValidationFailed:
    """Turn a model's `full_clean` errors into fields."""
    if not hasattr(raised, "error_dict"):
        return errors.ValidationFailed(" ".join(raised.messages))
    fields = tuple(
        errors.FieldError("/" if name == "__all__" else f"/{name}", problem.code or "invalid", text)
        for name, problems in raised.error_dict.items()
        for problem in problems
        for text in problem.messages
    )
    where = "" if fields[0].path == "/" else f"{fields[0].path[1:]}: "
    return errors.ValidationFailed(where + fields[0].message, fields=fields)
