"""What is asked of an external system, and the request that it makes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from authz.audit.actor import Actor
from authz.configuration.snapshot import Snapshot
from authz.models import Project
from integrations.connections.attempts import RETRIED_METHODS
from integrations.connections.auth.scheme import Outgoing
from integrations.connections.connection import Connection
from integrations.connections.endpoints import endpoint_url
from integrations.connections.headers import check_headers
from intmod_site.api.errors import Conflict, ValidationFailed
from intmod_site.request_context import current_request_id

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
BODYLESS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """In whose name an external system is called.

    Args:
        actor: Who.
        project: Where.
        snapshot: The configuration as the caller's request saw it; None reads it.
    """

    actor: Actor
    project: Project
    snapshot: Snapshot | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalCall:
    """What is asked of an external system.

    Args:
        method: One of `METHODS`.
        endpoint: Path and query below the integration's base URL.
        data: JSON to send; None for no body.
        headers: Beside those of the integration, which they outdo.
        idempotency_key: Sent along; the call may then be tried again whatever its method.
    """

    method: str
    endpoint: str
    data: Any = field(default=None, repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    idempotency_key: str | None = None

    @property
    def is_repeatable(self) -> bool:
        """Whether it does no more harm twice than once."""
        named = any(name.lower() == "idempotency-key" for name in self.headers)
        return self.method in RETRIED_METHODS or bool(self.idempotency_key) or named


def check_call(connection: Connection, call: ExternalCall) -> Outgoing:
    """Give the request that a call is, without its proof.

    Raises:
        ValidationFailed: Naming the field that is odd.
        Conflict: The integration is not active.
    """
    if not connection.is_active:
        raise Conflict(f"{connection.name} is not active.", code="integration_inactive")
    url = endpoint_url(connection.base_url, call.endpoint)
    check_headers(dict(call.headers))
    if call.data is not None and call.method in BODYLESS:
        raise ValidationFailed.of(
            "data", f"A {call.method} sends no body; put it into the endpoint's query."
        )
    body = orjson.dumps(call.data) if call.data is not None else None
    return Outgoing(call.method, url, _headers(connection, call, has_body=body is not None), body)


def _headers(connection: Connection, call: ExternalCall, *, has_body: bool) -> dict[str, str]:
    """Put headers together: ours, outdone by the integration's, outdone by the call's."""
    layers: list[Mapping[str, str]] = [
        {"Accept": "application/json, */*;q=0.8"},
        {"Content-Type": "application/json"} if has_body else {},
        connection.headers,
        call.headers,
        {"Idempotency-Key": call.idempotency_key} if call.idempotency_key else {},
        {"X-Request-Id": request_id} if (request_id := current_request_id()) else {},
    ]
    by_name = {name.lower(): (name, value) for layer in layers for name, value in layer.items()}
    return dict(by_name.values())
