"""Endpoints that are told in order: the oldest open delivery first, nothing before it has ended."""

from uuid import UUID

from django.db.models import Q, QuerySet

from integrations.models import WebhookDelivery

State = WebhookDelivery.State
OPEN = (State.PENDING, State.HELD)


def is_first(delivery: WebhookDelivery) -> bool:
    """Whether nothing open stands before it."""
    before = Q(sequence__lt=delivery.sequence) | Q(sequence=delivery.sequence, pk__lt=delivery.pk)
    return not _open(delivery.endpoint_id).filter(before).exists()


def first_in_line(endpoint_id: UUID) -> WebhookDelivery | None:
    """Give the oldest open delivery."""
    return _open(endpoint_id).order_by("sequence", "pk").first()


def _open(endpoint_id: UUID) -> "QuerySet[WebhookDelivery]":
    return WebhookDelivery.objects.filter(endpoint=endpoint_id, state__in=OPEN)
