"""Short forms of the calls that nearly every test makes."""

from typing import Any

from integrations.http.client import HttpClient
from integrations.http.messages import OutboundRequest, OutboundResponse
from integrations.http.policy import Deadlines, EgressPolicy
from integrations.http.stream import OutboundStream

RELAXED = Deadlines(connect_s=5, first_byte_s=5, idle_s=5, total_s=5)


def fetch(
    client: HttpClient,
    url: str,
    egress: EgressPolicy,
    *,
    method: str = "GET",
    body: bytes | None = None,
    headers: dict[str, str] | None = None,
    deadlines: Deadlines = RELAXED,
    limit: int = 1 << 20,
) -> OutboundResponse:
    request = OutboundRequest(method, url, headers or {}, body)
    return client.send(request, deadlines=deadlines, body_limit_bytes=limit, egress=egress)


def stream(
    client: HttpClient,
    url: str,
    egress: EgressPolicy,
    *,
    deadlines: Deadlines = RELAXED,
    **options: Any,
) -> OutboundStream:
    request = OutboundRequest("GET", url)
    return client.open_stream(request, deadlines=deadlines, egress=egress, **options)
