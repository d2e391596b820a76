"""Endpoints that are told in order: the oldest open delivery first, nothing before it has ended."""

from django.db.models import Q, QuerySet

from integrations.models import WebhookDelivery, WebhookEndpoint
from integrations.webhooks.jobs import ring_anew

State = WebhookDelivery.State
OPEN = (State.PENDING, State.HELD)


def is_first(delivery: WebhookDelivery) -> bool:
    """Whether nothing open stands before it."""
    before = Q(sequence__lt=delivery.sequence) | Q(sequence=delivery.sequence, pk__lt=delivery.pk)
    return not _open(delivery.endpoint).filter(before).exists()


def ring_first(endpoint: WebhookEndpoint) -> None:
    """Have the first in line attempted, in the transaction that ended the one before it."""
    first = _open(endpoint).order_by("sequence", "pk").first()
    if first is not None and first.state == State.PENDING:
        ring_anew(first)


def _open(endpoint: WebhookEndpoint) -> "QuerySet[WebhookDelivery]":
    return WebhookDelivery.objects.filter(endpoint=endpoint, state__in=OPEN)
