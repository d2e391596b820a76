"""Asking a policy what it would decide, without consequences."""

from typing import Any

from django.utils import timezone

from authz.models import SecurityPolicy
from authz.policies.engine import PARTS, Decision, PolicyRequest, decide
from authz.policies.rules import policy_of


def dry_run(policy: SecurityPolicy, told: dict[str, Any]) -> tuple[Decision, list[str]]:
    """Decide about what is told, and give the parts that are not and so were not judged.

    Args:
        policy: Attached or not.
        told: Some of the parts of a `PolicyRequest`; now, where no time is told.
    """
    told = {"at": timezone.now()} | told
    known = frozenset(told)
    decision = decide((policy_of(policy.label, policy.rules),), PolicyRequest(**told), known=known)
    return decision, sorted(PARTS - known)
