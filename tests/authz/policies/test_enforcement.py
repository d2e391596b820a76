"""Enforcing: what is attached decides, the decision is recorded, and changes count at once."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authz.configuration.revision import read_revision
from authz.configuration.snapshot import snapshot_at
from authz.models import AuditEvent, Membership, SecurityPolicy
from authz.policies.enforcement import PolicyDenied, enforce, enforce_response, evaluate
from authz.policies.engine import PolicyRequest
from authz.policies.services import (
    attach_policy,
    create_policy,
    detach_policy,
    update_policy,
)
from authz.policies.targets import PolicyTarget
from integrations.models import Integration
from tests.authz.policies.decisions import NOON
from tests.factories.authz import ACTOR


@pytest.fixture
def target(integration: Integration) -> PolicyTarget:
    return PolicyTarget("integration", integration.pk, integration.name)


def attach(policy: SecurityPolicy) -> Any:
    return attach_policy(actor=ACTOR, policy=policy, kind="integration", target="crm")


def run(member: Membership, target: PolicyTarget, **request: Any) -> Any:
    return enforce(
        actor=ACTOR,
        project=member.project,
        target=target,
        request=PolicyRequest(**{"at": NOON, "method": "POST", **request}),
    )


def decisions() -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action="policy.decide").order_by("id"))


def test_without_a_policy_everything_may_happen(member: Membership, target: PolicyTarget) -> None:
    decision = run(member, target)
    assert decision.allowed
    assert decision.label == ""
    assert decisions() == []


def test_a_decision_is_recorded_with_its_version_and_without_values(
    member: Membership, target: PolicyTarget, policy: SecurityPolicy
) -> None:
    attach(policy)
    assert run(member, target, data={"email": "s3cret@example.com"}).label == "pii:1"
    with pytest.raises(PolicyDenied) as denied:
        run(member, target, data={"s3cret": "s3cret"}, method="GET")
    assert (denied.value.status, denied.value.error_code) == (403, "policy_denied")
    assert [field.path for field in denied.value.fields] == ["/method", "/data/email"]
    allowed, refused = decisions()
    assert (allowed.outcome, refused.outcome) == ("success", "denied")
    assert allowed.changes == {"policies": ["pii:1"], "reasons": []}
    assert refused.changes == {
        "policies": ["pii:1"],
        "reasons": [
            {"policy": "pii:1", "pointer": "/method", "rule": "/methods"},
            {"policy": "pii:1", "pointer": "/data/email", "rule": "/required_fields/0"},
        ],
    }
    assert (refused.object_type, refused.object_id, refused.object_label) == (
        "integration", str(target.id), "crm",
    )  # fmt: skip
    assert (refused.project_id, refused.actor_label) == (member.project_id, "tests")
    assert "s3cret" not in str([vars(event) for event in decisions()])


def test_every_attached_policy_must_allow_it(
    member: Membership, target: PolicyTarget, policy: SecurityPolicy
) -> None:
    hours = {"hours": {"windows": [{"days": ["sun"]}]}, "max_response_bytes": 10}
    attach(policy)
    attach(create_policy(actor=ACTOR, project=member.project, name="sundays", rules=hours))
    with pytest.raises(PolicyDenied, match="sundays:1"):
        run(member, target, data={"email": "x"})
    assert decisions()[0].changes["policies"] == ["pii:1", "sundays:1"]


def test_a_change_counts_on_the_next_decision(
    member: Membership, target: PolicyTarget, policy: SecurityPolicy
) -> None:
    attachment = attach(policy)
    with pytest.raises(PolicyDenied):
        run(member, target)
    update_policy(actor=ACTOR, policy=policy, changes={"rules": {"methods": ["POST"]}})
    assert run(member, target).label == "pii:2"
    detach_policy(actor=ACTOR, attachment=attachment)
    assert run(member, target, method="DELETE").label == ""


def test_with_the_callers_configuration_deciding_asks_nothing_of_the_database(
    target: PolicyTarget, policy: SecurityPolicy
) -> None:
    attach(policy)
    snapshot = snapshot_at(read_revision())
    request = PolicyRequest(at=NOON, method="POST", data={"email": "x"})
    assert evaluate(target=target, request=request, snapshot=snapshot).label == "pii:1"
    with CaptureQueriesContext(connection) as asked:
        assert evaluate(target=target, request=request, snapshot=snapshot).allowed
    assert len(asked) == 0


def test_an_answer_that_is_too_long_is_refused_and_recorded(
    member: Membership, target: PolicyTarget
) -> None:
    rules = {"max_response_bytes": 10}
    attach(create_policy(actor=ACTOR, project=member.project, name="short", rules=rules))
    decision = run(member, target)
    assert decision.max_response_bytes == 10
    said: dict[str, Any] = {
        "actor": ACTOR, "project": member.project, "target": target, "decision": decision,
    }  # fmt: skip
    enforce_response(**said, length_bytes=10)
    with pytest.raises(PolicyDenied, match="longer than 10 bytes"):
        enforce_response(**said, length_bytes=11)
    event = decisions()[-1]
    assert event.outcome == "denied"
    assert event.changes["reasons"] == [
        {"policy": "short:1", "pointer": "/response", "rule": "/max_response_bytes"}
    ]


@pytest.mark.django_db(transaction=True)
def test_a_refusal_stays_on_record_although_nothing_else_happens(
    member: Membership, target: PolicyTarget, policy: SecurityPolicy
) -> None:
    attach(policy)
    with pytest.raises(PolicyDenied):
        run(member, target)
    connection.close()
    assert len(decisions()) == 1
