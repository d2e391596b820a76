"""How deliveries come to be attempted."""

from django.utils import timezone

from integrations.models import WebhookDelivery, WebhookEndpoint


def ring(delivery: WebhookDelivery, *, delay_s: float = 0.0) -> None:
    """Have a delivery's present run attempted, once the caller's transaction is committed."""


def ring_anew(delivery: WebhookDelivery) -> None:
    """Have a delivery attempted now by a run of its own; older runs do nothing any more."""
    delivery.run += 1
    delivery.next_attempt_at = timezone.now()
    delivery.save(update_fields=["run", "next_attempt_at"])
    ring(delivery)


def ring_release(endpoint: WebhookEndpoint) -> None:
    """Have what is held for an endpoint released."""
