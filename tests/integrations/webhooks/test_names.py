"""Event types' names, and which patterns want them."""

import pytest

from integrations.webhooks.names import asks_for_audit, check_name, check_patterns, matches
from intmod_site.api.errors import ValidationFailed


@pytest.mark.parametrize(
    ("pattern", "name", "wanted"),
    [
        ("*", "order.created", True),
        ("*", "order", True),
        ("order.*", "order.created", True),
        ("order.*", "order.line.added", True),
        ("order.*", "order", False),
        ("order.*", "orders.created", False),
        ("order.created", "order.created", True),
        ("order.created", "order.created.twice", False),
        ("*.created", "order.created", True),
        ("*.created", "order.deleted", False),
        ("model.*.firing", "model.alert.firing", True),
        ("model.*.firing", "model.alert.old.firing", False),
        ("*", "audit.project.create", False),
        ("*.project.create", "audit.project.create", False),
        ("audit.*", "audit.project.create", True),
        ("audit.project.create", "audit.project.create", True),
    ],
)
def test_patterns(pattern: str, name: str, wanted: bool) -> None:
    assert matches([pattern], name) is wanted
    assert matches(["never", pattern], name) is wanted


@pytest.mark.parametrize(
    "name", ["", "Order", "order created", "order..x", ".order", "é", "a" * 101]
)
def test_odd_names(name: str) -> None:
    with pytest.raises(ValidationFailed):
        check_name(name)


@pytest.mark.parametrize(
    "patterns",
    [None, "order.*", [], [1], ["order.**"], ["or*"], ["*" * 3], ["a" * 101], ["x"] * 101],
)
def test_odd_patterns(patterns: object) -> None:
    with pytest.raises(ValidationFailed):
        check_patterns(patterns)


def test_who_asks_for_the_audit_log() -> None:
    assert asks_for_audit(["order.*", "audit.*"])
    assert not asks_for_audit(["*", "auditor.*"])
