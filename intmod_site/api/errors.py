"""Errors that a caller can act on. Each class owns its code and HTTP status.

Services raise them, views let them pass, and one handler turns them into the envelope.
This module imports neither Django nor DRF, so pure cores may raise its errors.
"""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one part of the request; `path` is a JSON Pointer (RFC 6901)."""

    path: str
    code: str
    message: str

    def as_dict(self) -> dict[str, str]:
        """Give the error as it stands in the envelope."""
        return {"path": self.path, "code": self.code, "message": self.message}


class ApiError(Exception):
    """Base of all errors that become an answer.

    Args:
        message: One sentence for people: what is wrong and, where possible, what to do.
        fields: The parts of the request at fault.
        code: A more precise code than the class's own.
        retry_after_s: Seconds after which trying again makes sense.
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(
        self,
        message: str,
        *,
        fields: tuple[FieldError, ...] = (),
        code: str | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.fields = fields
        self.error_code = code or self.code
        self.retry_after_s = retry_after_s


class ValidationFailed(ApiError):
    """The request is well-formed JSON, but says something that cannot be done."""

    code = "validation_error"
    status = 400

    @classmethod
    def of(cls, field: str, message: str, *, code: str = "invalid") -> "ValidationFailed":
        """Make the error for one top-level field, or for a JSON Pointer if it starts with `/`."""
        path = field if field.startswith("/") else f"/{field}"
        return cls(
            f"{path.lstrip('/').replace('/', '.')}: {message}",
            fields=(FieldError(path, code, message),),
        )


class MalformedRequest(ApiError):
    """The body is not the JSON that the API takes."""

    code = "malformed_json"
    status = 400


class NotAuthenticated(ApiError):
    """No credential, or one that does not count any more."""

    code = "not_authenticated"
    status = 401


class PermissionDenied(ApiError):
    """The credential counts, but does not carry this permission."""

    code = "permission_denied"
    status = 403


class NotFound(ApiError):
    """There is no such thing here, or it belongs to another project."""

    code = "not_found"
    status = 404


class MethodNotAllowed(ApiError):
    """The route exists, but not for this method."""

    code = "method_not_allowed"
    status = 405


class NotAcceptable(ApiError):
    """The request's Accept header takes nothing that the route answers."""

    code = "not_acceptable"
    status = 406


class Conflict(ApiError):
    """The request is fine, but the thing it is about is in another state."""

    code = "conflict"
    status = 409


class PreconditionFailed(ApiError):
    """If-Match names a version that is not the current one."""

    code = "precondition_failed"
    status = 412


class PayloadTooLarge(ApiError):
    """The body is larger than the route takes."""

    code = "payload_too_large"
    status = 413


class UnsupportedMediaType(ApiError):
    """The body is not application/json in UTF-8."""

    code = "unsupported_media_type"
    status = 415


class IdempotencyMismatch(ApiError):
    """The idempotency key was used before with another body."""

    code = "idempotency_mismatch"
    status = 422


class TooManyRequests(ApiError):
    """More than the limit allows, or than can be queued."""

    code = "rate_limited"
    status = 429


class ServiceUnavailable(ApiError):
    """Something that the answer needs is not there now."""

    code = "service_unavailable"
    status = 503


class UpstreamFailed(ApiError):
    """An external system answered with an error or not at all."""

    code = "upstream_failed"
    status = 502


class UpstreamTimeout(ApiError):
    """An external system did not answer within its deadline."""

    code = "upstream_timeout"
    status = 504


class InternalError(ApiError):
    """Our own fault; the request id leads to the log line."""

    code = "internal_error"
    status = 500
