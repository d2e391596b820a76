"""Removing what ended long ago: the engine itself keeps every job for ever."""

import time
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from integrations.engine import dbos_adapter
from integrations.engine.states import states
from integrations.engine.tables import APPLICATION, OPEN, marks, rows
from integrations.models import Worker

BATCH = 500


def prune() -> int:
    """Remove jobs and workers that ended more than `ENGINE_KEPT_DAYS` ago; gives how many jobs.

    Runs where the engine runs: in a worker.
    """
    kept = timedelta(days=settings.ENGINE_KEPT_DAYS)
    before_ms = int((time.time() - kept.total_seconds()) * 1000)
    pruned = 0
    while ids := _ended(before_ms):
        dbos_adapter.delete(ids)
        pruned += len(ids)
        if states(ids):
            raise RuntimeError("Jobs that were deleted are still there.")
    Worker.objects.filter(seen_at__lt=timezone.now() - kept).delete()
    return pruned


def _ended(before_ms: int) -> list[str]:
    found = rows(_ENDED.replace("OPEN", marks(OPEN)), [before_ms, *OPEN, APPLICATION, BATCH])
    return [row[0] for row in found]


_ENDED = """
SELECT workflow_uuid FROM {workflow_status}
WHERE updated_at < %s AND status NOT IN (OPEN) AND application_name = %s LIMIT %s
"""
