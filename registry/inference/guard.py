"""Security policies on calls of models: judged before anything leaves, bounded on the way back.

Policies on a version judge the caller's request: method POST, path `/ai/<task>`, the body as it was
sent. Policies on its integration judge what goes out to the provider.
"""

from collections.abc import Callable, Iterator
from typing import Any

import orjson
from django.utils import timezone

from authz.policies.enforcement import PolicyDenied, record_decision, refuse_response
from authz.policies.engine import UNRESTRICTED, Decision, Policy, PolicyRequest, decide
from authz.policies.targets import PolicyTarget
from registry.catalog.policies import MODEL_VERSION
from registry.catalog.resolution import Target
from registry.inference.asked import Asked
from registry.inference.candidates import Plan, TargetCandidate
from registry.inference.providers.adapter import UpstreamRequest

BeforeSending = Callable[[UpstreamRequest], None]


def allowed_candidates(asked: Asked, plan: Plan) -> Iterator[TargetCandidate]:
    """Give those whose policies let them be asked.

    Fallbacks and the other targets of a route are passed over; a version that was called for by
    its name is not replaced.

    Raises:
        PolicyDenied: The one that was called for, or every target of the route, may not be asked.
    """
    refusal: PolicyDenied | None = None
    has_begun = False
    for candidate in plan.candidates:
        decision = _judge(asked, candidate.target)
        if decision.allowed:
            has_begun = True
            yield candidate
            continue
        refusal = refusal or PolicyDenied(decision)
        if not has_begun and not plan.route:
            raise refusal
        record_denied(asked, candidate.target, decision)
    if refusal is not None and not has_begun:
        raise refusal


def before_sending(asked: Asked, target: Target) -> BeforeSending:
    """Give the check of what goes out to a target's provider."""

    def check(request: UpstreamRequest) -> None:
        if not target.connection_policies:
            return
        decision = decide(
            target.connection_policies,
            PolicyRequest(
                data=orjson.loads(request.body) if request.body else None,
                method=request.method,
                path=request.path,
                source=asked.principal.address,
                at=timezone.now(),
            ),
        )
        if not decision.allowed:
            raise PolicyDenied(decision)

    return check


def answer_limit_bytes(target: Target) -> int | None:
    """Give the longest answer that the target's policies allow; None for any."""
    policies = all_policies(target)
    return (
        min(
            (
                policy.max_response_bytes
                for policy in policies
                if policy.max_response_bytes is not None
            ),
            default=None,
        )
        if policies
        else None
    )


def check_answer(target: Target, length_bytes: Callable[[], int]) -> None:
    """Refuse an answer that is longer than the target's policies allow.

    Raises:
        PolicyDenied: It is.
    """
    limit = answer_limit_bytes(target)
    if limit is not None and length_bytes() > limit:
        raise answer_too_long(target, limit)


def answer_too_long(target: Target, limit: int) -> PolicyDenied:
    """Give the error for an answer that is too long."""
    labels = tuple(policy.label for policy in all_policies(target))
    return refuse_response(Decision((), labels, limit))


def length_of(answer: Any) -> int:
    """Give the length of an answer as JSON, in bytes."""
    return len(orjson.dumps(answer))


def record_denied(asked: Asked, target: Target, decision: Decision) -> None:
    """Record in the audit log that a policy refused a call; what it allows is on the call's row."""
    record_decision(
        actor=asked.principal.actor,
        project=asked.principal.project,
        target=PolicyTarget(
            MODEL_VERSION.name, target.version_id, f"{target.model}:{target.number}"
        ),
        decision=decision,
    )


def policy_label(target: Target) -> str:
    """Give the policies that a call of the target was judged by, for its row."""
    return " ".join(policy.label for policy in all_policies(target))


def all_policies(target: Target) -> tuple[Policy, ...]:
    """Give the policies on the version and on its integration."""
    return (*target.policies, *target.connection_policies)


def _judge(asked: Asked, target: Target) -> Decision:
    if not target.policies:
        return UNRESTRICTED
    return decide(
        target.policies,
        PolicyRequest(
            data=asked.body,
            method="POST",
            path=f"/ai/{asked.task}",
            source=asked.principal.address,
            at=timezone.now(),
        ),
    )
