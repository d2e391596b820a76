"""A worker: a process that runs jobs until it is told to end; any number may run anywhere."""

import logging
from collections.abc import Sequence

from django.conf import settings
from django.db import connections

from integrations.engine import dbos_adapter
from integrations.engine.jobs import registered_jobs
from integrations.engine.leases import beat, begin_lease, end_lease, sweep
from integrations.engine.loops import Loop
from integrations.engine.periodic import Clock
from integrations.engine.queues import QUEUES
from integrations.engine.reconciling import reconcile_all
from integrations.engine.running import UnderWay, work_of
from integrations.engine.services import WorkerOptions, make_services
from integrations.models import Worker as WorkerRow

log = logging.getLogger("intmod.worker")

TICK_S = 0.5
RECONCILE_S = 60.0


class Worker:
    """Everything that a worker process does.

    Args:
        queues: Those that it serves.
        concurrency: Jobs of each queue that it runs at once.
        options: For the services.
    """

    def __init__(self, *, queues: Sequence[str], concurrency: int, options: WorkerOptions) -> None:
        self._queues, self._concurrency = list(queues), concurrency
        self._services = make_services(options)
        self._under_way = UnderWay()

    def start(self) -> WorkerRow:
        """Begin to work; gives the lease."""
        self._row = begin_lease(queues=self._queues, concurrency=self._concurrency)
        self._beat = Loop("beat", settings.WORKER_BEAT_S, self._say_alive)
        self._loops = [
            Loop("sweep", settings.WORKER_BEAT_S, lambda: sweep(dbos_adapter.take_over)),
            Loop("clock", TICK_S, Clock().tick),
            Loop("reconcile", RECONCILE_S, reconcile_all),
        ]
        self._engine = dbos_adapter.launch(
            executor_id=self._row.executor_id,
            concurrency=self._concurrency,
            queues={name: QUEUES[name] for name in self._queues},
            works={
                job.name: dbos_adapter.Work(work_of(job, self._under_way), job.attempts)
                for job in registered_jobs()
            },
        )
        for one in (self._beat, *self._loops, *self._services):
            one.start()
        connections.close_all()
        return self._row

    def drain(self) -> int:
        """Finish what is under way and give the lease up; gives how many jobs others must finish.

        They are those that take longer than WORKER_DRAIN_S.
        """
        for one in (*self._services, *self._loops):
            one.stop()
        # They ask the engine for things; the lease is kept until nothing runs any more.
        for loop in self._loops:
            loop.join(timeout_s=settings.WORKER_LEASE_S)
        self._engine.stop(within_s=settings.WORKER_DRAIN_S)
        for service in self._services:
            service.join()
        self._beat.stop()
        self._beat.join(timeout_s=settings.WORKER_LEASE_S)
        left = self._under_way.all()
        end_lease(self._row.executor_id)
        if left:
            log.warning("left for others", extra={"fields": {"jobs": left}})
        return len(left)

    def _say_alive(self) -> None:
        beat(self._row.executor_id, self._under_way.all())
