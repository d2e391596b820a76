"""Enforcing attached policies: what the floors above call before anything leaves or is stored.

    decision = enforce(
        actor=principal.actor, project=principal.project, snapshot=principal.snapshot,
        target=PolicyTarget("integration", integration.pk, integration.name),
        request=PolicyRequest(data=body, method="POST", path="/v1/x", source=address, at=now()),
    )

`decision.label` goes on the record of what follows, and the answer is
bounded by `decision.max_response_bytes`.
"""

from uuid import UUID

from authz.audit.actor import Actor
from authz.audit.record import record_event
from authz.configuration.revision import read_revision
from authz.configuration.snapshot import Snapshot, snapshot_at
from authz.models import AuditEvent, PolicyAttachment, Project
from authz.policies.engine import PARTS, Decision, Policy, PolicyRequest, Reason, decide
from authz.policies.rules import policy_of
from authz.policies.targets import PolicyTarget
from intmod_site.api.errors import ApiError, FieldError

ACTION = "policy.decide"


class PolicyDenied(ApiError):
    """A security policy forbids this."""

    code = "policy_denied"
    status = 403

    def __init__(self, decision: Decision) -> None:
        first = decision.reasons[0]
        super().__init__(
            f"The security policy {first.policy} forbids this: {first.pointer}: {first.message}",
            fields=tuple(
                FieldError(reason.pointer, "policy_denied", reason.message)
                for reason in decision.reasons
            ),
        )
        self.decision = decision


def evaluate(
    *,
    target: PolicyTarget,
    request: PolicyRequest,
    snapshot: Snapshot | None = None,
    known: frozenset[str] = PARTS,
) -> Decision:
    """Decide by the policies attached to a target, and record nothing.

    Args:
        target: What they are attached to.
        request: What is about to happen.
        snapshot: The caller's configuration, which costs no query; None reads the revision.
        known: Parts of the request that are told, for dry runs.
    """
    return decide(policies_on(target.kind, target.id, snapshot), request, known=known)


def enforce(
    *,
    actor: Actor,
    project: Project,
    target: PolicyTarget,
    request: PolicyRequest,
    snapshot: Snapshot | None = None,
) -> Decision:
    """Let something happen only as the attached policies allow; the decision is recorded.

    Call it before the transaction of what follows: a refusal's record stays when that rolls back.

    Args:
        actor: In whose name.
        project: Where.
        target, request, snapshot: As in `evaluate`.

    Raises:
        PolicyDenied: A policy forbids it.
    """
    decision = evaluate(target=target, request=request, snapshot=snapshot)
    if decision.policies:
        record_decision(actor=actor, project=project, target=target, decision=decision)
    if not decision.allowed:
        raise PolicyDenied(decision)
    return decision


def enforce_response(
    *, actor: Actor, project: Project, target: PolicyTarget, decision: Decision, length_bytes: int
) -> None:
    """Take an answer only if it is no longer than the policies of the request allow.

    Raises:
        PolicyDenied: It is longer; recorded like any other refusal.
    """
    limit = decision.max_response_bytes
    if limit is None or length_bytes <= limit:
        return
    denied = refuse_response(decision)
    record_decision(actor=actor, project=project, target=target, decision=denied.decision)
    raise denied


def refuse_response(decision: Decision) -> PolicyDenied:
    """Give the error for an answer that is longer than the policies allow."""
    reason = Reason(
        "/response",
        "/max_response_bytes",
        f"The answer is longer than {decision.max_response_bytes} bytes.",
        decision.label,
        "/response",
    )
    return PolicyDenied(
        Decision((reason,), decision.policies, max_response_bytes=decision.max_response_bytes)
    )


def record_decision(
    *, actor: Actor, project: Project, target: PolicyTarget, decision: Decision
) -> None:
    """Record a decision: by which versions, on what, and why; nothing of the request's values."""
    outcome = AuditEvent.Outcome
    record_event(
        actor=actor,
        action=ACTION,
        outcome=outcome.SUCCESS if decision.allowed else outcome.DENIED,
        project=project,
        object_type=target.kind.replace("_", ""),
        object_id=str(target.id),
        object_label=target.label,
        changes={
            "policies": list(decision.policies),
            "reasons": [
                {"policy": reason.policy, "pointer": reason.recorded, "rule": reason.rule}
                for reason in decision.reasons
            ],
        },
    )


def policies_on(kind: str, target_id: UUID, snapshot: Snapshot | None) -> tuple[Policy, ...]:
    """Give the policies attached to a target, from the process's memory where it has them."""
    snapshot = snapshot or snapshot_at(read_revision())
    return snapshot.get(("policies", kind, target_id), lambda: load_policies(kind, target_id))


def load_policies(kind: str, target_id: UUID) -> tuple[Policy, ...]:
    """Give the policies attached to a target, for whoever remembers them with what they are on."""
    rows = PolicyAttachment.objects.of(kind, target_id).values_list(
        "policy__name", "policy__version", "policy__rules"
    )
    return tuple(policy_of(f"{name}:{version}", rules) for name, version, rules in rows)
