"""Removing messages that are old, with their deliveries and attempts."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.utils import timezone

from integrations.models import DeliveryAttempt, WebhookDelivery, WebhookMessage
from integrations.webhooks.order import OPEN

BATCH = 500


def prune_messages(now: datetime | None = None) -> int:
    """Remove messages older than `WEBHOOK_KEPT_DAYS` of which no delivery is open; gives how many.

    Batch by batch: who publishes or delivers meanwhile waits for none of it.
    """
    before = (now or timezone.now()) - timedelta(days=settings.WEBHOOK_KEPT_DAYS)
    waiting = WebhookDelivery.objects.filter(message=OuterRef("pk"), state__in=OPEN)
    old = WebhookMessage.objects.filter(~Exists(waiting), created_at__lt=before)
    pruned = 0
    while ids := list(old.order_by("created_at").values_list("pk", flat=True)[:BATCH]):
        # By hand, from below: cascading by the ORM reads every row first.
        DeliveryAttempt.objects.filter(delivery__message__in=ids)._raw_delete("default")
        WebhookDelivery.objects.filter(message__in=ids)._raw_delete("default")
        pruned += WebhookMessage.objects.filter(pk__in=ids)._raw_delete("default")
    return pruned
