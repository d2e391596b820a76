"""Periodic jobs: each tick is enqueued by one worker and run by one worker, whichever they are."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.module_loading import import_string

from integrations.engine.enqueue import enqueue
from integrations.engine.errors import error_text
from integrations.engine.jobs import Steps
from integrations.engine.schedule import Timetable, read_timetable
from integrations.engine.states import open_jobs
from integrations.models import PeriodicJob

JOB = "engine.periodic"
QUEUE = "monitor"


class Clock:
    """Enqueues what is due.

    Args:
        now: The time.
    """

    def __init__(self, now: Callable[[], datetime] = timezone.now) -> None:
        self._now = now
        self._jobs: dict[str, Timetable] = {
            name: read_timetable(row) for name, row in settings.PERIODIC_JOBS.items()
        }
        self._seen: dict[str, datetime] = {}

    def tick(self) -> list[str]:
        """Enqueue what is due and nobody enqueued; gives the names."""
        now, begun = self._now(), []
        for name, timetable in self._jobs.items():
            due_at = timetable.last_due(now)
            # Asked once for each tick: after that, this one is past for this process.
            if self._seen.get(name) != due_at:
                if enqueue_tick(name, due_at):
                    begun.append(name)
                self._seen[name] = due_at
        return begun


def enqueue_tick(name: str, due_at: datetime) -> bool:
    """Enqueue one tick, unless somebody did, or the one before is not over yet."""
    known = PeriodicJob.objects.filter(pk=name).first()
    if known is not None and (known.due_at >= due_at or open_jobs([known.workflow_id])):
        return False
    workflow_id = f"periodic:{name}:{due_at.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}"
    try:
        with transaction.atomic():
            if known is None:
                PeriodicJob.objects.create(pk=name, due_at=due_at, workflow_id=workflow_id)
            elif not PeriodicJob.objects.filter(pk=name, due_at=known.due_at).update(
                due_at=due_at, workflow_id=workflow_id
            ):
                return False
            return enqueue(JOB, name, workflow_id=workflow_id, queue=QUEUE)
    except IntegrityError:
        return False  # Another worker was the first ever to know of it.


def run_tick(steps: Steps, name: str) -> None:
    """Run a periodic job: the function that the settings name, with how it went."""
    steps.run("run", _run, name)


def _run(name: str) -> None:
    row = settings.PERIODIC_JOBS.get(name)
    if row is None:
        return  # Named no more, since it was enqueued.
    note = PeriodicJob.objects.filter(pk=name)
    note.update(started_at=timezone.now())
    ended: dict[str, Any] = {"outcome": PeriodicJob.Outcome.DONE, "error": ""}
    try:
        import_string(str(row["run"]))()
    except Exception as error:
        ended = {"outcome": PeriodicJob.Outcome.FAILED, "error": error_text(error)}
        raise
    finally:
        note.update(ended_at=timezone.now(), **ended)
