"""manage.py worker: runs jobs, periodic jobs and webhooks, until it is told to end."""

import json
import os
import signal
import sys
import threading
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from integrations.engine.queues import QUEUES
from integrations.engine.schema import check_tables
from integrations.engine.services import WorkerOptions
from intmod_site.database import widen_pool
from intmod_site.flusher import drain_rows

MOST = 256


class Command(BaseCommand):
    """One worker process; any number of them may run."""

    help = (
        "Run jobs, periodic jobs, webhooks and received events until SIGTERM, which lets what is "
        "under way be finished. Any number may run: on PostgreSQL on any machine, on SQLite on "
        "the machine that has the file."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take what to serve, and how much of it at once."""
        parser.add_argument(
            "--queues", default=",".join(QUEUES), help="Which to serve, by commas (all)."
        )
        parser.add_argument(
            "--concurrency", type=int, default=8, help="Jobs of each queue run at once (8)."
        )
        parser.add_argument(
            "--webhook-threads", type=int, default=16, help="Deliveries attempted at once (16)."
        )
        parser.add_argument("--json", action="store_true", help="Say that it is ready as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Work."""
        told = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: told.set())
        queues = _checked(options)
        # Jobs, deliveries, the dispatcher, received events, beat, sweeper, clock, reconciler.
        widen_pool(options["concurrency"] * len(queues) + options["webhook_threads"] + 6)
        state = check_tables()
        if state != "ok":
            raise CommandError(state.capitalize() + ".")
        # After the signal handlers: it loads the engine, which takes a moment.
        from integrations.engine.worker import Worker

        worker = Worker(
            queues=queues,
            concurrency=options["concurrency"],
            options=WorkerOptions(webhook_threads=options["webhook_threads"]),
        )
        lease = worker.start()
        try:
            self._announce(lease.executor_id, queues, as_json=options["json"])
            told.wait()
        finally:
            left = worker.drain()
        if left:
            # Their threads cannot be stopped, and must not keep the process alive.
            drain_rows()
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)

    def _announce(self, executor_id: str, queues: list[str], *, as_json: bool) -> None:
        one_machine = connection.vendor == "sqlite"
        if as_json:
            said = {"ready": executor_id, "queues": queues, "one_machine": one_machine}
            self.stdout.write(json.dumps(said))
        else:
            where = " On SQLite all workers run on this machine." if one_machine else ""
            self.stdout.write(f"Worker {executor_id} serves {', '.join(queues)}.{where}")
        self.stdout.flush()


def _checked(options: dict[str, Any]) -> list[str]:
    queues = [name.strip() for name in options["queues"].split(",") if name.strip()]
    if not queues:
        raise CommandError("--queues names at least one.")
    if unknown := [name for name in queues if name not in QUEUES]:
        raise CommandError(f"There is no queue {unknown[0]!r}; there are {', '.join(QUEUES)}.")
    for name in ("concurrency", "webhook_threads"):
        if not 0 < options[name] <= MOST:
            raise CommandError(f"--{name.replace('_', '-')} takes 1 to {MOST}.")
    return queues
