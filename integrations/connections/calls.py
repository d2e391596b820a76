"""Calling an external system: judged, counted, logged, audited; the one way for API and admin."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from time import monotonic
from typing import Any

import orjson
from django.utils import timezone

from authz.audit.actor import Actor
from authz.audit.record import record_event
from authz.configuration.snapshot import Snapshot
from authz.models import AuditEvent, Project
from authz.policies.enforcement import enforce, record_decision, refuse_response
from authz.policies.engine import UNRESTRICTED, Decision, PolicyRequest
from authz.policies.targets import PolicyTarget
from integrations.connections.admission import place
from integrations.connections.answers import ExternalAnswer, answer_of
from integrations.connections.attempts import RETRIED_METHODS, Attempts
from integrations.connections.auth.scheme import Outgoing
from integrations.connections.call_log import Attempt, record_attempt
from integrations.connections.connection import Connection
from integrations.connections.endpoints import endpoint_url, masked, path_of
from integrations.connections.exchange import Exchange, Tried
from integrations.connections.headers import check_headers
from integrations.http.errors import BodyTooLarge, DeadlineExceeded
from intmod_site.api.errors import (
    ApiError,
    Conflict,
    UpstreamFailed,
    UpstreamTimeout,
    ValidationFailed,
)
from intmod_site.redaction import redact
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


def call_integration(
    *, caller: Caller, connection: Connection, call: ExternalCall, retries: bool = True
) -> ExternalAnswer:
    """Call an external system and give its answer, whatever its status.

    The policies of the integration are asked first. Each attempt is a row of the call log, the
    call an audit event.

    Args:
        caller: In whose name.
        connection: Which system.
        call: What is asked of it.
        retries: Whether failures are tried again as the integration says.

    Raises:
        ValidationFailed, Conflict: See `check_call`.
        PolicyDenied: A policy forbids it, or the length of the answer.
        TooManyRequests, ServiceUnavailable: It may not be called now.
        UpstreamFailed, UpstreamTimeout: There is no complete answer.
    """
    request = check_call(connection, call)
    decision = _judged(caller, connection, call)
    limit = min(
        connection.response_limit_bytes,
        decision.max_response_bytes or connection.response_limit_bytes,
    )
    attempts = Attempts(
        connection,
        lambda left_s: Exchange(connection, request, left_s=left_s, body_limit_bytes=limit),
        is_repeatable=call.is_repeatable,
        record=partial(_record_attempt, caller, connection, call, request),
        retries=retries,
    )
    began_s = monotonic()
    try:
        with place(connection):
            tried = attempts.run()
    except ApiError as refusal:
        _record_refusal(caller, connection, call, refusal)
        raise
    duration_ms = (monotonic() - began_s) * 1000
    _audit(caller, connection, call, tried, attempts.made, duration_ms, decision)
    if tried.response is None:
        raise _as_api_error(caller, connection, tried, decision, limit)
    return answer_of(
        tried.response, secrets=tried.secrets, attempts=attempts.made, duration_ms=duration_ms
    )


def target_of(connection: Connection) -> PolicyTarget:
    """Give the integration as policies know it."""
    return PolicyTarget("integration", connection.integration_id, connection.name)


def policy_request(caller: Caller, call: ExternalCall) -> PolicyRequest:
    """Give a call as policies judge it."""
    return PolicyRequest(
        data=call.data,
        method=call.method,
        path=path_of(call.endpoint),
        source=caller.actor.address,
        at=timezone.now(),
    )


def _judged(caller: Caller, connection: Connection, call: ExternalCall) -> Decision:
    if connection.project_id is None:
        return UNRESTRICTED
    return enforce(
        actor=caller.actor,
        project=caller.project,
        target=target_of(connection),
        request=policy_request(caller, call),
        snapshot=caller.snapshot,
    )


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


def _record_attempt(
    caller: Caller,
    connection: Connection,
    call: ExternalCall,
    request: Outgoing,
    number: int,
    tried: Tried,
) -> None:
    response = tried.response
    record_attempt(
        connection=connection,
        actor=caller.actor,
        method=call.method,
        endpoint=call.endpoint,
        request_body=request.body,
        attempt=Attempt(
            number=number,
            latency_ms=tried.latency_ms,
            status=response.status if response else None,
            error_code=tried.error_code,
            error=tried.message,
            response_body=response.body if response else None,
        ),
        secrets=tried.secrets,
    )


def _record_refusal(
    caller: Caller, connection: Connection, call: ExternalCall, refusal: ApiError
) -> None:
    record_attempt(
        connection=connection,
        actor=caller.actor,
        method=call.method,
        endpoint=call.endpoint,
        request_body=None,
        attempt=Attempt(
            number=0, latency_ms=0.0, error_code=refusal.error_code, error=refusal.message
        ),
        secrets=(),
    )


def _audit(
    caller: Caller,
    connection: Connection,
    call: ExternalCall,
    tried: Tried,
    attempts: int,
    duration_ms: float,
    decision: Decision,
) -> None:
    outcome = AuditEvent.Outcome
    record_event(
        actor=caller.actor,
        action="integration.request",
        outcome=outcome.FAILED if tried.error_code else outcome.SUCCESS,
        project=caller.project,
        object_type="integration",
        object_id=str(connection.integration_id),
        object_label=connection.name,
        changes={
            "method": call.method,
            "endpoint": redact(masked(call.endpoint))[:500],
            "status": tried.response.status if tried.response else None,
            "error": tried.error_code,
            "attempts": attempts,
            "duration_ms": round(duration_ms, 1),
            "policies": list(decision.policies),
        },
    )


def _as_api_error(
    caller: Caller, connection: Connection, tried: Tried, decision: Decision, limit: int
) -> ApiError:
    error = tried.error
    if isinstance(error, BodyTooLarge) and decision.max_response_bytes == limit:
        denied = refuse_response(decision)
        record_decision(
            actor=caller.actor,
            project=caller.project,
            target=target_of(connection),
            decision=denied.decision,
        )
        return denied
    kind = UpstreamTimeout if isinstance(error, DeadlineExceeded) else UpstreamFailed
    return kind(f"{connection.name}: {tried.message}", code=tried.error_code)
