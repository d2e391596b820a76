"""What is kept of a call: a row of the call log for each attempt, an audit event for the whole."""

from authz.audit.record import record_event
from authz.models import AuditEvent
from authz.policies.engine import Decision
from integrations.connections.auth.scheme import Outgoing
from integrations.connections.call_log import Attempt, record_attempt
from integrations.connections.connection import Connection
from integrations.connections.endpoints import masked
from integrations.connections.exchange import Tried
from integrations.connections.external_call import Caller, ExternalCall
from intmod_site.api.errors import ApiError
from intmod_site.redaction import redact


def record_tried(
    caller: Caller,
    connection: Connection,
    call: ExternalCall,
    request: Outgoing,
    number: int,
    tried: Tried,
) -> None:
    """Log one attempt."""
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


def record_refusal(
    caller: Caller, connection: Connection, call: ExternalCall, refusal: ApiError
) -> None:
    """Log that a call was not begun."""
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


def audit_call(
    caller: Caller,
    connection: Connection,
    call: ExternalCall,
    tried: Tried,
    attempts: int,
    duration_ms: float,
    decision: Decision,
) -> None:
    """Write what became of a call into the audit log."""
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
