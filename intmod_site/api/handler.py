"""One place that turns whatever a view raised into an answer in the envelope."""

import logging
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, RequestDataTooBig
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from rest_framework import exceptions as drf
from rest_framework.response import Response

from intmod_site.api import errors
from intmod_site.api.envelope import error_headers, failure, refuse

log = logging.getLogger("intmod.api")


def handle_exception(raised: Exception, context: dict[str, Any]) -> Response:
    """Answer for DRF; nothing is raised further, so no answer ever leaves the envelope."""
    error = as_api_error(raised)
    context["request"]._request.api_error = error
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
    if isinstance(raised, errors.ApiError):
        return raised
    for kinds, convert in _CONVERSIONS:
        if isinstance(raised, kinds):
            return convert(raised)
    if isinstance(raised, IntegrityError) and refers_to_nothing(raised):
        log.warning("removed meanwhile", exc_info=raised)
        return errors.Conflict(
            "Something that this is about was changed or removed meanwhile; look again.",
            code="removed_meanwhile",
        )
    log.error("unhandled exception", exc_info=raised)
    return errors.InternalError(
        "Something went wrong on our side. Tell the operator the request id."
    )


def refers_to_nothing(raised: IntegrityError) -> bool:
    """Say whether a reference was broken: references are looked at when a transaction ends.

    https://www.postgresql.org/docs/current/errcodes-appendix.html and
    https://www.sqlite.org/rescode.html#constraint_foreignkey
    """
    cause = raised.__cause__
    return (
        getattr(cause, "sqlstate", "") == "23503"
        or getattr(cause, "sqlite_errorname", "") == "SQLITE_CONSTRAINT_FOREIGNKEY"
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


# What raises them says who is at fault; their messages are ours where Django's are for developers.
_CONVERSIONS: tuple[tuple[tuple[type[Exception], ...], Callable[[Any], errors.ApiError]], ...] = (
    ((drf.ValidationError,), lambda raised: from_serializer(raised.detail)),
    ((DjangoValidationError,), from_model),
    (
        (Http404, drf.NotFound, ObjectDoesNotExist),
        lambda _: errors.NotFound("There is no such object."),
    ),
    ((drf.MethodNotAllowed,), lambda raised: errors.MethodNotAllowed(str(raised.detail))),
    (
        (drf.UnsupportedMediaType,),
        lambda _: errors.UnsupportedMediaType("Send the body as Content-Type: application/json."),
    ),
    (
        (drf.NotAcceptable,),
        lambda _: errors.NotAcceptable("This route answers application/json."),
    ),
    (
        (drf.NotAuthenticated, drf.AuthenticationFailed),
        lambda raised: errors.NotAuthenticated(str(raised.detail)),
    ),
    (
        (drf.PermissionDenied, DjangoPermissionDenied),
        lambda _: errors.PermissionDenied("You may not do this."),
    ),
    (
        (OperationalError, InterfaceError),
        lambda _: errors.ServiceUnavailable(
            "The database is busy or away; try again.", code="database_unavailable", retry_after_s=1
        ),
    ),
    ((RequestDataTooBig,), lambda _: errors.PayloadTooLarge("The body is too large.")),
)
