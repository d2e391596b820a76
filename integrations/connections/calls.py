"""Calling an external system: judged, counted, logged, audited; the one way for API and admin."""

from functools import partial
from time import monotonic

from django.utils import timezone

from authz.policies.enforcement import enforce, record_decision, refuse_response
from authz.policies.engine import UNRESTRICTED, Decision, PolicyRequest
from authz.policies.targets import PolicyTarget
from integrations.connections.admission import place
from integrations.connections.answers import ExternalAnswer, answer_of
from integrations.connections.attempts import Attempts
from integrations.connections.call_records import audit_call, record_refusal, record_tried
from integrations.connections.connection import Connection
from integrations.connections.endpoints import path_of
from integrations.connections.exchange import Exchange, Tried
from integrations.connections.external_call import Caller, ExternalCall, check_call
from integrations.http.errors import BodyTooLarge, DeadlineExceeded
from intmod_site.api.errors import ApiError, UpstreamFailed, UpstreamTimeout


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
        record=partial(record_tried, caller, connection, call, request),
        retries=retries,
    )
    began_s = monotonic()
    try:
        with place(connection):
            tried = attempts.run()
    except ApiError as refusal:
        record_refusal(caller, connection, call, refusal)
        raise
    duration_ms = (monotonic() - began_s) * 1000
    audit_call(caller, connection, call, tried, attempts.made, duration_ms, decision)
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
