"""Security policies on webhook endpoints: asked at each attempt, so a change counts at once."""

from datetime import datetime
from uuid import UUID

import orjson

from authz.configuration.snapshot import Snapshot
from authz.policies.enforcement import policies_on
from authz.policies.engine import UNRESTRICTED, Decision, PolicyRequest, decide
from authz.policies.targets import PolicyTarget, TargetKind
from integrations.http.guard import parse_url
from integrations.models import WebhookDelivery, WebhookEndpoint

KIND = "webhook_endpoint"


def find_endpoint(project_id: UUID, reference: str) -> tuple[UUID, str] | None:
    """Give an endpoint's id and label by its id."""
    try:
        wanted = UUID(reference)
    except ValueError:
        return None
    row = WebhookEndpoint.objects.in_project(project_id).filter(pk=wanted).first()
    return (row.pk, str(row)) if row else None


WEBHOOK_ENDPOINT = TargetKind(KIND, find_endpoint, "a webhook endpoint's id")


def target_of(endpoint: WebhookEndpoint) -> PolicyTarget:
    """Give the endpoint as policies know it."""
    return PolicyTarget(KIND, endpoint.pk, str(endpoint))


def judged(delivery: WebhookDelivery, now: datetime, snapshot: Snapshot) -> Decision:
    """Decide whether a message may leave for its endpoint; records nothing.

    Args:
        delivery: With its endpoint and message.
        now: When it would leave.
        snapshot: The configuration as it was just now.
    """
    endpoint = delivery.endpoint
    policies = policies_on(KIND, endpoint.pk, snapshot)
    if not policies:
        return UNRESTRICTED
    request = PolicyRequest(
        data=orjson.loads(delivery.message.body)["data"],
        method="POST",
        path=parse_url(endpoint.url).target.partition("?")[0],
        at=now,
    )
    return decide(policies, request)
