"""Asking rules for a decision, without a database."""

from datetime import UTC, datetime
from typing import Any

import pytest

from authz.policies.engine import Decision, PolicyRequest, decide
from authz.policies.rules import check_rules, policy_of
from intmod_site.api.errors import ValidationFailed

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
"""A Monday."""


def decided(rules: dict[str, Any], **request: Any) -> Decision:
    """Check rules as when they are saved, and decide about a request."""
    check_rules(rules)
    return decide((policy_of("test:1", rules),), PolicyRequest(**{"at": NOON, **request}))


def pointers(decision: Decision) -> list[str]:
    return [reason.pointer for reason in decision.reasons]


def refused_at(rules: Any) -> str:
    """Give the pointer at which rules are refused when they are saved."""
    with pytest.raises(ValidationFailed) as refusal:
        check_rules(rules)
    return refusal.value.fields[0].path
