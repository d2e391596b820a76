"""Removing events that were received long ago and are over."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from integrations.models import ReceivedEvent

BATCH = 500


def prune_events(now: datetime | None = None) -> int:
    """Remove events older than `WEBHOOK_KEPT_DAYS` that wait for nothing; gives how many."""
    before = (now or timezone.now()) - timedelta(days=settings.WEBHOOK_KEPT_DAYS)
    old = ReceivedEvent.objects.filter(received_at__lt=before).exclude(
        state=ReceivedEvent.State.WAITING
    )
    pruned = 0
    while ids := list(old.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        # By its state once more: somebody may have had one handed on again meanwhile.
        gone = old.filter(pk__in=ids)._raw_delete("default")
        if not gone:
            break
        pruned += gone
    return pruned
