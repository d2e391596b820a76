"""Trying an integration out: a test of the connection, and whether a call would be made."""

from dataclasses import dataclass
from time import monotonic

from authz.audit.record import record_event
from authz.models import AuditEvent
from authz.policies.enforcement import evaluate, record_decision
from authz.policies.engine import Reason
from integrations.connections.calls import call_integration, policy_request, target_of
from integrations.connections.connection import Connection
from integrations.connections.external_call import Caller, ExternalCall, check_call
from intmod_site.api.errors import ServiceUnavailable, UpstreamFailed, UpstreamTimeout


@dataclass(frozen=True, slots=True)
class Trial:
    """How a test of a connection went.

    Args:
        ok: Whether it answered below 400.
        status: Of the answer, if there was one.
        latency_ms: Until the answer, or the error.
        error, error_code: What went wrong; None where nothing did.
    """

    ok: bool
    status: int | None
    latency_ms: float
    error: str | None = None
    error_code: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a call would be made.

    Args:
        valid: Whether no policy is against it.
        reasons: Why not.
        policies: Which were asked, as `name:version`.
    """

    valid: bool
    reasons: tuple[Reason, ...]
    policies: tuple[str, ...]

    @property
    def error(self) -> str | None:
        """The first reason in one sentence."""
        if self.valid:
            return None
        return f"{self.reasons[0].pointer}: {self.reasons[0].message}"


def check_connection(*, caller: Caller, connection: Connection) -> Trial:
    """Get the integration's test endpoint once, as any call would.

    Raises:
        ApiError: It may not be called, by a policy or a limit, or is not active.
    """
    call = ExternalCall(method="GET", endpoint=connection.test_endpoint)
    began_s = monotonic()
    try:
        answer = call_integration(caller=caller, connection=connection, call=call, retries=False)
    except (UpstreamFailed, UpstreamTimeout, ServiceUnavailable) as error:
        return Trial(False, None, (monotonic() - began_s) * 1000, error.message, error.error_code)
    ok = answer.status < 400
    return Trial(
        ok,
        answer.status,
        answer.duration_ms,
        None if ok else f"It answered {answer.status}.",
        None if ok else f"http_{answer.status}",
    )


def validate_call(*, caller: Caller, connection: Connection, call: ExternalCall) -> Verdict:
    """Ask the policies about a call without making it; the answer is recorded.

    Raises:
        ValidationFailed, Conflict: The call is odd in itself.
    """
    check_call(connection, call)
    target = target_of(connection)
    decision = evaluate(
        target=target, request=policy_request(caller, call), snapshot=caller.snapshot
    )
    if decision.policies:
        record_decision(
            actor=caller.actor, project=caller.project, target=target, decision=decision
        )
    record_event(
        actor=caller.actor,
        action="integration.validate",
        outcome=AuditEvent.Outcome.SUCCESS,
        project=caller.project,
        object_type="integration",
        object_id=str(connection.integration_id),
        object_label=connection.name,
        changes={"method": call.method, "valid": decision.allowed},
    )
    return Verdict(decision.allowed, decision.reasons, decision.policies)
