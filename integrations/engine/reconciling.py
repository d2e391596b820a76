"""Rows that wait for a job which is not there: their job is enqueued again.

A job and the row it works for are committed together, so this should find nothing. It is there for
a database restored without the engine's tables, for jobs that were deleted or given up, and for
mistakes.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db import models, transaction
from django.utils.module_loading import import_string

from integrations.engine.enqueue import enqueue
from integrations.engine.jobs import Id
from integrations.engine.states import states
from integrations.engine.tables import OPEN

log = logging.getLogger("intmod.worker")

BATCH = 200
TIMES = 5
"""A job that ended so often while its row still waited needs a person."""


@dataclass(frozen=True, kw_only=True)
class Reconciler:
    """Which rows wait for a job.

    Args:
        job, queue: As `enqueue` takes them.
        waiting: The rows whose job must be waiting or running.
        workflow_id: Under which a row's job was enqueued when the row began to wait.
        ids: What its job is given.
        partition: Of the job, where the queue has partitions.
    """

    job: str
    queue: str
    waiting: Callable[[], models.QuerySet[Any]]
    workflow_id: Callable[[Any], str]
    ids: Callable[[Any], tuple[Id, ...]] = lambda row: (str(row.pk),)
    partition: Callable[[Any], str | None] = lambda _: None


_paths: list[str] = []


def register_reconciler(path: str) -> None:
    """Make a `Reconciler` known, by the dotted path of the object."""
    if path not in _paths:
        _paths.append(path)


def reconcile_all() -> int:
    """Enqueue what is missing, of everybody who registered; gives how many jobs."""
    return sum(reconcile(import_string(path)) for path in _paths)


def reconcile(reconciler: Reconciler) -> int:
    """Enqueue what is missing; gives how many jobs."""
    enqueued, after = 0, None
    while batch := _batch(reconciler, after):
        after = batch[-1].pk
        tries = {row.pk: _ids_in_turn(reconciler.workflow_id(row)) for row in batch}
        known = states([one for ids in tries.values() for one in ids])
        for row in batch:
            there = [known[one] for one in tries[row.pk] if one in known]
            if any(status in OPEN for status in there):
                continue
            free = next((one for one in tries[row.pk] if one not in known), None)
            if free is None:
                log.error("given up", extra={"fields": {"job": reconciler.job, "row": str(row.pk)}})
            else:
                enqueued += _enqueue(reconciler, row, free)
    return enqueued


def _batch(reconciler: Reconciler, after: Any) -> list[Any]:
    rows = reconciler.waiting().order_by("pk")
    return list((rows if after is None else rows.filter(pk__gt=after))[:BATCH])


def _ids_in_turn(workflow_id: str) -> list[str]:
    return [workflow_id, *(f"{workflow_id}~{number}" for number in range(1, TIMES))]


def _enqueue(reconciler: Reconciler, row: Any, workflow_id: str) -> bool:
    with transaction.atomic():
        # Its job may have ended, and the row with it, since the row was read.
        if not reconciler.waiting().filter(pk=row.pk).exists():
            return False
        return enqueue(
            reconciler.job, *reconciler.ids(row), workflow_id=workflow_id,
            queue=reconciler.queue, partition=reconciler.partition(row),
        )  # fmt: skip
