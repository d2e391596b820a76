"""Workers' leases: who is alive, and whose work is taken over."""

import os
import socket
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from integrations.engine.tables import APPLICATION, rows
from integrations.models import Worker


def begin_lease(*, queues: Sequence[str], concurrency: int) -> Worker:
    """Say that this process is a worker from now on."""
    host, pid, now = socket.gethostname(), os.getpid(), timezone.now()
    return Worker.objects.create(
        executor_id=f"{host}-{pid}-{uuid4().hex[:12]}", host=host, pid=pid, queues=list(queues),
        concurrency=concurrency, started_at=now, seen_at=now,
    )  # fmt: skip


def beat(executor_id: str, doing: Sequence[dict[str, Any]]) -> None:
    """Say that it still is, and at what.

    One that was stopped for longer than its lease comes back by this: what it had begun is
    somebody else's by then, and what it still makes of that is ignored.
    """
    Worker.objects.filter(pk=executor_id).update(seen_at=timezone.now(), doing=list(doing))


def end_lease(executor_id: str) -> None:
    """Say that it is no more: what it leaves may be taken over at once."""
    Worker.objects.filter(pk=executor_id).update(ended_at=timezone.now(), doing=[])


def sweep(take_over: Callable[[list[str]], int]) -> int:
    """Take over the work of executors whose lease is over; gives how many jobs.

    Of several sweepers one wins each executor. It may die before it is done, so who was swept is
    swept again when as much time has passed as a lease takes, if there still is work.

    Args:
        take_over: Enqueues again what the executors named to it had begun.
    """
    working = [
        row[0]
        for row in rows(
            "SELECT DISTINCT executor_id FROM {workflow_status} WHERE status = 'PENDING'"
            " AND executor_id IS NOT NULL AND application_name = %s",
            [APPLICATION],
        )
    ]
    if not working:
        return 0
    alive = set(Worker.objects.alive().filter(pk__in=working).values_list("pk", flat=True))
    won = [one for one in working if one not in alive and _won(one)]
    return take_over(won) if won else 0


def _won(executor_id: str) -> bool:
    now, lease = timezone.now(), timedelta(seconds=settings.WORKER_LEASE_S)
    known = Worker.objects.filter(pk=executor_id)
    over = known.filter(Q(seen_at__lt=now - lease) | Q(ended_at__isnull=False))
    due = over.filter(Q(swept_at=None) | Q(swept_at__lt=now - lease))
    # One whose row is not there any more was pruned: it has been dead for days.
    return bool(due.update(swept_at=now)) or not known.exists()
