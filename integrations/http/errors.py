"""What can go wrong on the way to another system and back.

Each error says whether trying again can help (`retryable`) and whether the request may have
reached the other side (`sent`): a POST is safe to repeat when it was not sent. Messages name the
host and the port, never headers, query string, user information or body.
"""

from enum import StrEnum
from typing import ClassVar


class OutboundError(Exception):
    """Base of all errors of outgoing calls.

    Args:
        message: One sentence for people.
        retryable: Whether the same request may succeed later; the class's default if omitted.
        sent: Whether the other side may have seen the request; the class's default if omitted.
    """

    code: str = "outbound_error"
    default_retryable: ClassVar[bool] = False
    default_sent: ClassVar[bool] = False

    def __init__(
        self, message: str, *, retryable: bool | None = None, sent: bool | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.retryable = self.default_retryable if retryable is None else retryable
        self.sent = self.default_sent if sent is None else sent

    def __str__(self) -> str:
        return self.message


class InvalidUrl(OutboundError):
    """The URL is not one that we call."""

    code = "invalid_url"


class InvalidRequest(OutboundError):
    """The method or a header cannot be put on the wire, or is ours to set."""

    code = "invalid_request"


class BlockedDestination(OutboundError):
    """The host leads to an address that calls may not go to."""

    code = "blocked_destination"


class ResolutionFailed(OutboundError):
    """The host's name has no address, or the name service did not say."""

    code = "resolution_failed"
    default_retryable = True


class ConnectFailed(OutboundError):
    """None of the host's addresses took the connection."""

    code = "connect_failed"
    default_retryable = True


class TlsFailed(OutboundError):
    """The other side could not prove who it is, or does not speak TLS as we do."""

    code = "tls_failed"


class ConnectionReset(OutboundError):
    """The connection broke before the answer was complete."""

    code = "connection_reset"
    default_retryable = True
    default_sent = True


class BodyTooLarge(OutboundError):
    """The answer has more bytes, once decoded, than the caller takes."""

    code = "body_too_large"
    default_sent = True


class LineTooLong(OutboundError):
    """One line of a stream has more bytes than the caller takes."""

    code = "line_too_long"
    default_sent = True


class MalformedResponse(OutboundError):
    """The answer is not HTTP/1.1 (RFC 9112), or is coded in a way that nobody asked for."""

    code = "malformed_response"
    default_sent = True


class StreamClosed(OutboundError):
    """The stream was read after, or while, our own side closed it."""

    code = "stream_closed"
    default_sent = True


class Deadline(StrEnum):
    """The deadlines of a call; the values are the error codes."""

    CONNECT = "connect_timeout"
    FIRST_BYTE = "first_byte_timeout"
    IDLE = "idle_timeout"
    TOTAL = "total_timeout"


_PASSED = {
    Deadline.CONNECT: "No connection was made in time.",
    Deadline.FIRST_BYTE: "The answer did not begin in time.",
    Deadline.IDLE: "The answer stopped for too long.",
    Deadline.TOTAL: "The call took longer than it may in all.",
}


class DeadlineExceeded(OutboundError):
    """A deadline passed; `which` and the code say which one."""

    code = "deadline_exceeded"
    default_retryable = True

    def __init__(self, which: Deadline, *, sent: bool = False) -> None:
        super().__init__(_PASSED[which], sent=sent)
        # The arguments are what pickle builds the copy from.
        self.args = (which,)
        self.which = which
        self.code = which.value
