"""Something of everything that tells the outside world, and more of it."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from authz.audit.actor import Actor
from authz.models import Project
from integrations.models import DeliveryAttempt, WebhookDelivery
from integrations.webhooks.catalogue import create_event_type
from integrations.webhooks.endpoints import register_endpoint
from integrations.webhooks.services import publish

ACTOR = Actor(kind="system", label="tests")
HOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def tell(project: Project, *, name: str = "") -> list[Any]:
    """Tell a new endpoint something; the first attempt failed."""
    endpoint = register_endpoint(
        actor=ACTOR, project=project, url="https://hooks.example.com/in?token=hidden",
        event_types=[f"order{name}.*"], description=f"shop {name}", secret=HOOK_SECRET,
    )  # fmt: skip
    event_type = create_event_type(
        actor=ACTOR, project=project, name=f"order{name}.created", schema={"type": "object"}
    )
    message = publish(event_type.name, {"n": 1}, project=project).message
    delivery = WebhookDelivery.objects.get(message=message)
    add_attempt(delivery)
    return [endpoint, event_type, message, delivery]


def add_attempt(delivery: WebhookDelivery, hours_ago: int = 0) -> None:
    """Add a failed attempt."""
    delivery.attempt_count += 1
    delivery.save()
    DeliveryAttempt.objects.create(
        delivery=delivery, endpoint_id=delivery.endpoint_id, number=delivery.attempt_count,
        started_at=timezone.now() - timedelta(hours=hours_ago), is_error=True, status=500,
        latency_ms=12.5, error_code="http_500", error="It answered 500.",
        destination="https://hooks.example.com/in", response_excerpt="oh <no>",
    )  # fmt: skip
