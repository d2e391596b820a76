"""Something of what workers do, and more of it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import connection
from django.utils import timezone

from integrations.engine.enqueue import enqueue
from integrations.engine.tables import table
from integrations.models import PeriodicJob, Worker

JOB = "engine.periodic"


def work(*, name: str = "") -> list[Any]:
    """A worker that is alive, one that died, and jobs in every state."""
    now = timezone.now()
    alive = Worker.objects.create(
        executor_id=f"host-1-{uuid4().hex}", host="host", pid=1, queues=["flows"], concurrency=8,
        started_at=now, seen_at=now,
        doing=[{"job": JOB, "step": "run", "workflow_id": "periodic:x", "since": 0}],
    )  # fmt: skip
    Worker.objects.create(
        executor_id=f"host-2-{uuid4().hex}", host="host", pid=2, queues=["flows"], concurrency=8,
        started_at=now - timedelta(days=1), seen_at=now - timedelta(hours=3),
    )  # fmt: skip
    for queue in ("flows", "sync", "monitor"):
        enqueue(JOB, "x", workflow_id=f"waits:{uuid4()}", queue=queue)
        enqueue(JOB, "x", workflow_id=f"later:{uuid4()}", queue=queue, delay_s=60)
    fail(
        f"fails:{name}:{uuid4()}",
        '{"name":"StepFailed","message":"KeyError: sk-abcdefghijklmnop12"}',
    )
    PeriodicJob.objects.update_or_create(
        name="watch models",
        defaults={
            "due_at": now, "workflow_id": f"periodic:{name}", "started_at": now, "ended_at": now,
            "outcome": "failed", "error": "OperationalError: no such table",
        },
    )  # fmt: skip
    return [alive]


def fail(workflow_id: str, error: str, status: str = "ERROR") -> None:
    """A job that failed."""
    enqueue(JOB, "x", workflow_id=workflow_id, queue="suites")
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table('workflow_status')} SET status = %s WHERE workflow_uuid = %s",
            [status, workflow_id],
        )
        cursor.execute(
            f"INSERT INTO {table('workflow_output')} (workflow_uuid, error, retention_timestamp)"
            " VALUES (%s, %s, 0)",
            [workflow_id, error],
        )
