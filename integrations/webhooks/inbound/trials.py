"""Trying a source out: whether its policies would let an event in."""

from typing import Any

from django.utils import timezone

from authz.audit.actor import Actor
from authz.configuration.snapshot import Snapshot
from authz.policies.enforcement import evaluate, record_decision
from authz.policies.engine import PARTS, Decision, PolicyRequest
from authz.policies.targets import PolicyTarget
from integrations.models import InboundSource
from integrations.webhooks.inbound.policies import KIND
from integrations.webhooks.inbound.receiving import path_of


def validate_event(
    *, actor: Actor, source: InboundSource, snapshot: Snapshot | None, told: dict[str, Any]
) -> tuple[Decision, list[str]]:
    """Ask the policies about an event without taking it; the decision is recorded.

    Args:
        actor: Who asks.
        source: Of which source it would be.
        snapshot: The configuration as the caller sees it.
        told: `data`, and perhaps `address` and `at`.

    Returns:
        What they decide, and the parts of the request that they did not judge.
    """
    known = PARTS if "address" in told else PARTS - {"source"}
    target = PolicyTarget(KIND, source.pk, source.name)
    decision = evaluate(
        target=target,
        request=PolicyRequest(
            data=told["data"],
            method="POST",
            path=path_of(source.pk),
            source=told.get("address"),
            at=told.get("at") or timezone.now(),
        ),
        snapshot=snapshot,
        known=known,
    )
    if decision.policies:
        record_decision(actor=actor, project=source.project, target=target, decision=decision)
    return decision, sorted(PARTS - known)
