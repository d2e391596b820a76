"""Removing calls that the log need not remember any longer."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from integrations.models import CallRecord

BATCH = 1000


def prune_calls(now: datetime | None = None) -> int:
    """Remove rows older than `CALL_LOG_KEPT_DAYS`, batch by batch; gives how many."""
    before = (now or timezone.now()) - timedelta(days=settings.CALL_LOG_KEPT_DAYS)
    old = CallRecord.objects.filter(created_at__lt=before).order_by("created_at")
    pruned = 0
    while ids := list(old.values_list("pk", flat=True)[:BATCH]):
        pruned += CallRecord.objects.filter(pk__in=ids)._raw_delete("default")
    return pruned
