"""One attempt at an external system: prove, send, follow what redirects it may."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from time import monotonic
from urllib.parse import urljoin

from integrations.connections.answers import SHORTEST_SECRET, forms_of
from integrations.connections.auth import SCHEMES
from integrations.connections.auth.oauth2 import TokenRefused
from integrations.connections.auth.scheme import Credential, Outgoing
from integrations.connections.connection import Connection
from integrations.connections.tokens import access_token
from integrations.http.client import send
from integrations.http.errors import Deadline, DeadlineExceeded, OutboundError
from integrations.http.guard import parse_url
from integrations.http.messages import OutboundRequest, OutboundResponse

REDIRECTS = frozenset({301, 302, 303, 307, 308})
FOLLOWED_METHODS = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Tried:
    """How an attempt ended: with an answer or with an error.

    Args:
        latency_ms: Of all its parts.
        secrets: What it proved itself with, to be masked wherever its texts go.
        token: The access token that it used, if any.
    """

    latency_ms: float
    secrets: tuple[str, ...] = field(default=(), repr=False)
    token: str = field(default="", repr=False)
    response: OutboundResponse | None = None
    error: OutboundError | TokenRefused | None = None

    @property
    def error_code(self) -> str:
        """What went wrong; empty for an answer below 400."""
        if isinstance(self.error, OutboundError):
            return self.error.code
        if self.error is not None:
            return "token_refused"
        status = self.response.status if self.response else 0
        return f"http_{status}" if status >= 400 else ""

    @property
    def message(self) -> str:
        """The same for people."""
        if self.error is not None:
            return str(self.error)
        return f"It answered {self.response.status}." if self.response and self.error_code else ""


class Exchange:
    """Makes one attempt; used once.

    Args:
        connection: Whose.
        request: Without proof.
        left_s: Seconds that it may take, within the connection's own deadlines.
        body_limit_bytes: The longest answer.
    """

    def __init__(
        self, connection: Connection, request: Outgoing, *, left_s: float, body_limit_bytes: int
    ) -> None:
        self._connection = connection
        self._request = request
        self._ends_at = monotonic() + min(left_s, connection.deadlines.total_s)
        self._body_limit_bytes = body_limit_bytes
        self._token = ""
        self._secrets: set[str] = {connection.api_key} if connection.api_key else set()

    def run(self) -> Tried:
        """Make the attempt; whatever goes wrong on the way is in what it gives."""
        began_s = monotonic()
        response: OutboundResponse | None = None
        error: OutboundError | TokenRefused | None = None
        try:
            response = self._follow(self._send(self._prove(self._request)))
        except (OutboundError, TokenRefused) as raised:
            error = raised
        known = {form for secret in self._secrets for form in forms_of(secret)}
        return Tried(
            (monotonic() - began_s) * 1000,
            # The longest first: a token may stand within another.
            tuple(sorted((s for s in known if len(s) >= SHORTEST_SECRET), key=len, reverse=True)),
            self._token,
            response,
            error,
        )

    def _prove(self, request: Outgoing) -> Outgoing:
        connection = self._connection
        proved = SCHEMES[connection.auth_scheme].prove(
            request,
            Credential(connection.api_key, connection.auth_settings, self._take_token, time.time()),
        )
        proofs = {
            name: value
            for name, value in proved.headers.items()
            if request.headers.get(name) != value
        }
        for value in proofs.values():
            self._secrets |= {value, value.rpartition(" ")[2]}
        # Whatever the caller calls the same, in whatever case, makes way for the proof.
        taken = {name.lower() for name in proofs}
        others = {name: v for name, v in request.headers.items() if name.lower() not in taken}
        return replace(proved, headers={**others, **proofs})

    def _take_token(self) -> str:
        self._token = access_token(self._connection, left_s=self._left_s())
        return self._token

    def _follow(self, response: OutboundResponse) -> OutboundResponse:
        """Follow redirects, each judged anew; another origin is told nothing that we know."""
        request = self._request
        for _ in range(self._connection.max_redirects):
            location = response.headers.get("location")
            if (
                response.status not in REDIRECTS
                or request.method not in FOLLOWED_METHODS
                or not location
            ):
                break
            url = _joined(request.url, location)
            if parse_url(url).origin == parse_url(self._request.url).origin:
                request = replace(request, url=url)
                response = self._send(self._prove(request))
            else:
                request = replace(request, url=url, headers=_harmless(request.headers))
                response = self._send(request)
        return response

    def _send(self, request: Outgoing) -> OutboundResponse:
        connection = self._connection
        return send(
            OutboundRequest(request.method, request.url, request.headers, request.body),
            deadlines=replace(connection.deadlines, total_s=self._left_s()),
            body_limit_bytes=self._body_limit_bytes,
            egress=connection.egress,
        )

    def _left_s(self) -> float:
        left_s = self._ends_at - monotonic()
        if left_s <= 0:
            raise DeadlineExceeded(Deadline.TOTAL)
        return left_s


def _joined(url: str, location: str) -> str:
    """Give the URL that a redirect leads to, without its fragment (RFC 9110, 10.2.2)."""
    try:
        return urljoin(url, location).partition("#")[0]
    except ValueError:  # such as an odd IPv6 address
        return location


def _harmless(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name.lower() == "accept"}
