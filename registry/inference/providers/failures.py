"""What can go wrong at a provider, and what follows from it: one table for all of them.

The rules behind the rows:

- What the caller did wrong stays a 400, is not tried again and says nothing about the upstream's
  health. A context that is too long or a filter that struck may be answered by another model,
  through the fallbacks that are named for it.
- What we configured wrong is a 502: the caller cannot mend it. It fails fast and would fail again,
  so it goes to the next target at once; it does not open the breaker, which would hide its cause
  behind a 503.
- What is wrong with the upstream's health is tried again, goes to the next target and counts
  against the breaker.
"""

from dataclasses import dataclass
from enum import StrEnum

from intmod_site.api.errors import (
    ApiError,
    TooManyRequests,
    UpstreamFailed,
    UpstreamTimeout,
    ValidationFailed,
)


class Kind(StrEnum):
    """The ways to fail."""

    BAD_REQUEST = "bad_request"
    UNPROCESSABLE = "unprocessable"
    REQUEST_TOO_LARGE = "request_too_large"
    CONTEXT_LENGTH = "context_length"
    CONTENT_FILTER = "content_filter"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    QUOTA_EXHAUSTED = "quota_exhausted"
    MODEL_NOT_FOUND = "model_not_found"
    MISCONFIGURED = "misconfigured"
    REQUEST_TIMEOUT = "request_timeout"
    CONFLICT = "conflict"
    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    OVERLOADED = "overloaded"
    UNREACHABLE = "unreachable"
    RESET = "reset"
    CONNECT_TIMEOUT = "connect_timeout"
    FIRST_BYTE_TIMEOUT = "first_byte_timeout"
    IDLE_TIMEOUT = "idle_timeout"
    TOTAL_TIMEOUT = "total_timeout"
    MALFORMED = "malformed"
    STREAM_CUT = "stream_cut"
    UNUSABLE_ANSWER = "unusable_answer"
    CANCELLED = "cancelled"


class Fallback(StrEnum):
    """Which of a target's fallbacks may answer instead."""

    NONE = "none"
    ON_ERROR = "error"
    ON_CONTEXT_LENGTH = "context_length"
    ON_CONTENT_FILTER = "content_filter"


@dataclass(frozen=True, slots=True)
class Rule:
    """What follows from a kind.

    Args:
        error: Our class, which owns the HTTP status.
        code: Our code in the answer.
        retryable: Whether the same target may be asked again.
        fallback: Who else may be asked.
        trips: Whether it counts against the breaker.
        sentence: What the caller reads, without its full stop.
        quotes: Whether the caller also reads what the upstream said.
    """

    error: type[ApiError]
    code: str
    retryable: bool
    fallback: Fallback
    trips: bool
    sentence: str
    quotes: bool = False


_NONE, _ANY = Fallback.NONE, Fallback.ON_ERROR
_LENGTH, _FILTER = Fallback.ON_CONTEXT_LENGTH, Fallback.ON_CONTENT_FILTER
_CALLER, _LIMIT, _FAILED, _LATE = ValidationFailed, TooManyRequests, UpstreamFailed, UpstreamTimeout
_YES, _NO, _QUOTED = True, False, True

# fmt: off
RULES: dict[Kind, Rule] = {
    # kind                             class    code                       retry  fallback trips
    Kind.BAD_REQUEST: Rule(           _CALLER, "upstream_bad_request",       _NO,  _NONE,   _NO,
        "The provider rejected the request", _QUOTED),
    Kind.UNPROCESSABLE: Rule(         _CALLER, "upstream_unprocessable",     _NO,  _NONE,   _NO,
        "The provider could not make sense of the request", _QUOTED),
    Kind.REQUEST_TOO_LARGE: Rule(     _CALLER, "upstream_request_too_large", _NO,  _NONE,   _NO,
        "The request is larger than the provider takes", _QUOTED),
    Kind.CONTEXT_LENGTH: Rule(        _CALLER, "context_length_exceeded",    _NO,  _LENGTH, _NO,
        "The request is longer than the model's context", _QUOTED),
    Kind.CONTENT_FILTER: Rule(        _CALLER, "content_filter",             _NO,  _FILTER, _NO,
        "The provider's content filter refused the request", _QUOTED),
    Kind.UNAUTHENTICATED: Rule(       _FAILED, "upstream_auth_failed",       _NO,  _ANY,    _NO,
        "The provider does not take the credentials that are configured for it"),
    Kind.FORBIDDEN: Rule(             _FAILED, "upstream_auth_failed",       _NO,  _ANY,    _NO,
        "The credentials that are configured for the provider do not allow this"),
    Kind.QUOTA_EXHAUSTED: Rule(       _FAILED, "upstream_quota_exhausted",   _NO,  _ANY,    _NO,
        "The account at the provider has no credit left"),
    Kind.MODEL_NOT_FOUND: Rule(       _FAILED, "upstream_model_not_found",   _NO,  _ANY,    _NO,
        "The provider has no such model, or nothing at its address", _QUOTED),
    Kind.MISCONFIGURED: Rule(         _FAILED, "upstream_misconfigured",     _NO,  _ANY,    _NO,
        "The provider's integration is not set up rightly"),
    Kind.REQUEST_TIMEOUT: Rule(       _LATE,   "upstream_request_timeout",   _YES, _ANY,    _YES,
        "The provider gave up waiting", _QUOTED),
    Kind.CONFLICT: Rule(              _FAILED, "upstream_conflict",          _YES, _ANY,    _NO,
        "The provider was at odds with another request", _QUOTED),
    Kind.RATE_LIMITED: Rule(          _LIMIT,  "upstream_rate_limited",      _YES, _ANY,    _YES,
        "The provider takes no more requests now", _QUOTED),
    Kind.SERVER_ERROR: Rule(          _FAILED, "upstream_server_error",      _YES, _ANY,    _YES,
        "The provider failed", _QUOTED),
    Kind.OVERLOADED: Rule(            _FAILED, "upstream_overloaded",        _YES, _ANY,    _YES,
        "The provider is overloaded", _QUOTED),
    Kind.UNREACHABLE: Rule(           _FAILED, "upstream_unreachable",       _YES, _ANY,    _YES,
        "The provider cannot be reached"),
    Kind.RESET: Rule(                 _FAILED, "upstream_reset",             _YES, _ANY,    _YES,
        "The provider broke the connection"),
    Kind.CONNECT_TIMEOUT: Rule(       _LATE,   "upstream_connect_timeout",   _YES, _ANY,    _YES,
        "The provider took no connection in time"),
    Kind.FIRST_BYTE_TIMEOUT: Rule(    _LATE,   "upstream_first_byte_timeout", _YES, _ANY,   _YES,
        "The provider did not begin to answer in time"),
    Kind.IDLE_TIMEOUT: Rule(          _LATE,   "upstream_idle_timeout",      _YES, _ANY,    _YES,
        "The provider stopped in the middle of its answer"),
    # The same call would take all of its time again.
    Kind.TOTAL_TIMEOUT: Rule(         _LATE,   "upstream_total_timeout",     _NO,  _ANY,    _YES,
        "The provider did not finish in time"),
    Kind.MALFORMED: Rule(             _FAILED, "upstream_malformed",         _NO,  _ANY,    _YES,
        "The provider's answer is not what its protocol says"),
    Kind.STREAM_CUT: Rule(            _FAILED, "upstream_stream_cut",        _YES, _ANY,    _YES,
        "The provider's answer ended before it was complete"),
    # The upstream is well, its model is not up to the question; another throw may be.
    Kind.UNUSABLE_ANSWER: Rule(       _FAILED, "upstream_unusable_answer",   _YES, _ANY,    _NO,
        "The model's answer is not in the form that was asked for"),
    # Our own side ended the call, mostly because the caller went away.
    Kind.CANCELLED: Rule(             _FAILED, "call_cancelled",             _NO,  _NONE,   _NO,
        "The call was ended"),
}
# fmt: on

# By the codes of outgoing calls' errors; the transport itself is not known here.
TRANSPORT_KINDS: dict[str, Kind] = {
    "invalid_url": Kind.MISCONFIGURED,
    "invalid_request": Kind.MISCONFIGURED,
    "blocked_destination": Kind.MISCONFIGURED,
    "tls_failed": Kind.MISCONFIGURED,
    "resolution_failed": Kind.UNREACHABLE,
    "connect_failed": Kind.UNREACHABLE,
    "connection_reset": Kind.RESET,
    "body_too_large": Kind.MALFORMED,
    "line_too_long": Kind.MALFORMED,
    "malformed_response": Kind.MALFORMED,
    "stream_closed": Kind.CANCELLED,
    "connect_timeout": Kind.CONNECT_TIMEOUT,
    "first_byte_timeout": Kind.FIRST_BYTE_TIMEOUT,
    "idle_timeout": Kind.IDLE_TIMEOUT,
    "total_timeout": Kind.TOTAL_TIMEOUT,
}
