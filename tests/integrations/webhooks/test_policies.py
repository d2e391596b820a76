"""Security policies on endpoints: what may not leave is not sent, and that is recorded."""

from authz.models import AuditEvent, Project
from authz.policies.services import attach_policy, create_policy
from integrations.models import WebhookDelivery
from integrations.webhooks.services import publish
from tests.factories.authz import ACTOR
from tests.integrations.webhooks.conftest import Register, Serve
from tests.integrations.webhooks.delivering import OK, attempt_due, only


def test_a_policy_keeps_a_message_in(serve: Serve, register: Register, project: Project) -> None:
    server = serve(OK)
    endpoint = register(server)
    rules = {"schema": {"not": {"required": ["ssn"]}}, "paths": ["/hooks"]}
    policy = create_policy(actor=ACTOR, project=project, name="pii", rules=rules)
    attach_policy(actor=ACTOR, policy=policy, kind="webhook_endpoint", target=str(endpoint.pk))
    publish("a.b", {"ssn": "078-05-1120"}, project=project)
    attempt_due()
    delivery = only()
    assert (delivery.state, delivery.last_error_code) == ("failed", "policy_denied")
    event = AuditEvent.objects.get(action="policy.decide")
    assert (event.outcome, event.object_id) == ("denied", str(endpoint.pk))
    assert "078-05" not in str(event.changes)
    assert server.requests == []
    publish("a.b", {"fine": 1}, project=project)
    attempt_due()
    assert len(server.requests) == 1
    assert WebhookDelivery.objects.filter(state="succeeded").count() == 1
    assert AuditEvent.objects.filter(action="policy.decide").count() == 1, "leave is not recorded"
