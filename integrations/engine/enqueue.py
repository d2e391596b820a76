"""Enqueueing a job in the transaction that makes it necessary.

Done by two statements on Django's connection, so that the job is there exactly if the caller's
rows are, and so that a web process loads nothing of the engine.
"""

import json
import time
from uuid import uuid4

from django.db import connection, transaction

from integrations.engine.jobs import Id, registered_job
from integrations.engine.queues import QUEUES
from integrations.engine.tables import APPLICATION, table

MAX_ID_LENGTH = 200


def enqueue(
    job: str,
    *ids: Id,
    workflow_id: str,
    queue: str,
    delay_s: float | None = None,
    partition: str | None = None,
) -> bool:
    """Put a job into a queue; gives False if it was there already.

    Args:
        job: Its name.
        ids: Whatever tells it what to do: ids of rows, not the rows, which may change meanwhile.
        workflow_id: Deterministic: the same one again is the same job, done once.
        queue: One of `QUEUES`.
        delay_s: How long to wait before; up to a second more.
        partition: Of which only so many run at once, where the queue is partitioned.

    Raises:
        ValueError: The job, the queue, an id or the partition is not what it may be, or another
            job has this workflow_id.
    """
    _check(job, ids, workflow_id, queue, delay_s, partition)
    now_ms = int(time.time() * 1000)
    delayed = delay_s is not None and delay_s > 0
    inputs = json.dumps({"positionalArgs": ids, "namedArgs": {}}, separators=(",", ":"))
    row = [
        workflow_id, "DELAYED" if delayed else "ENQUEUED", job, queue, now_ms, now_ms,
        partition, str(uuid4()), now_ms + int(delay_s * 1000) if delay_s and delayed else None,
        APPLICATION,
    ]  # fmt: skip
    with transaction.atomic(savepoint=False), connection.cursor() as cursor:
        cursor.execute(_INSERT_JOB.format(table("workflow_status")), row)
        if not cursor.rowcount:
            cursor.execute(_NAME.format(table("workflow_status")), [workflow_id])
            (name,) = cursor.fetchone() or (job,)
            if name != job:
                raise ValueError(f"{workflow_id!r} is a job {name!r}, not {job!r}.")
            return False
        cursor.execute(_INSERT_INPUT.format(table("workflow_input")), [workflow_id, inputs, now_ms])
    return True


def _check(
    job: str,
    ids: tuple[Id, ...],
    workflow_id: str,
    queue: str,
    delay_s: float | None,
    partition: str | None,
) -> None:
    registered_job(job)
    if not 0 < len(workflow_id) <= MAX_ID_LENGTH or workflow_id != workflow_id.strip():
        raise ValueError(f"A workflow_id has 1 to {MAX_ID_LENGTH} characters: {workflow_id!r}.")
    if queue not in QUEUES:
        raise ValueError(f"There is no queue {queue!r}.")
    if (QUEUES[queue].per_partition is None) != (partition is None):
        needed = "needs a" if partition is None else "takes no"
        raise ValueError(f"The queue {queue!r} {needed} partition.")
    if delay_s is not None and not 0 <= delay_s < 10 * 365 * 86_400:
        raise ValueError(f"Not a delay: {delay_s}.")
    for one in ids:
        if not isinstance(one, str | int):
            raise ValueError(f"A job takes ids (str or int), not {type(one).__name__}.")  # noqa: TRY004


_INSERT_JOB = """
INSERT INTO {} (
    workflow_uuid, status, name, queue_name, created_at, updated_at, queue_partition_key,
    creator_xid, delay_until_epoch_ms, application_name, recovery_attempts, priority, serialization
) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, 0, 0, 'portable_json')
ON CONFLICT (workflow_uuid) DO NOTHING
"""
_INSERT_INPUT = """
INSERT INTO {} (workflow_uuid, inputs, retention_timestamp) VALUES (%s, %s, %s)
ON CONFLICT (workflow_uuid) DO NOTHING
"""
_NAME = "SELECT name FROM {} WHERE workflow_uuid = %s"
