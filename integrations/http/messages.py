"""What is sent and what comes back, as plain values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from integrations.http.errors import InvalidRequest

# What frames the message or belongs to the connection is not the caller's to say: it could make
# the other side see two requests in one, or another host.
RESERVED_HEADERS = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", re.ASCII)
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


@dataclass(frozen=True, slots=True)
class OutboundRequest:
    """A request to make. Its URL, headers and body stay out of `repr`: they may hold secrets.

    Args:
        method: A token (RFC 9110, 9.1), upper case by custom.
        url: As `guard.parse_url` takes it.
        headers: By name; each name once. The framing ones are set by the transport.
        body: The bytes to send, or None for no body.

    Raises:
        InvalidRequest: The method, a name or a value cannot be put on the wire as it is, or a
            header of `RESERVED_HEADERS` is there.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if _TOKEN.fullmatch(self.method) is None:
            raise InvalidRequest("The method is not an HTTP token.")
        for name, value in self.headers.items():
            if _TOKEN.fullmatch(name) is None or _VALUE.fullmatch(value) is None:
                raise InvalidRequest("A header has characters that cannot be sent over HTTP.")
            if name.lower() in RESERVED_HEADERS:
                raise InvalidRequest(f"The header {name.lower()} is set by the transport.")


@dataclass(frozen=True, slots=True)
class OutboundResponse:
    """A complete answer, whatever its status; redirects are answers too.

    Args:
        status: 200 to 599, as far as the other side keeps to HTTP.
        headers: By name in any case; repeated ones are joined with a comma.
        body: Decoded.
        duration_ms: From the call of `send` to the last byte.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    duration_ms: float
