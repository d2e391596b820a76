"""How fast webhooks are delivered, how soon, beside a dead endpoint, and after a worker was killed.

python -m benchmarks.webhooks [MEASURE …] [--messages N] [--queued N]

The measures are throughput, idle, dead_neighbour and killed; all of them by default.

On PostgreSQL from the extra `test`; DATABASE_URL names another, empty database.
"""

import argparse
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

os.environ.setdefault("INTMOD_DATA_DIR", tempfile.mkdtemp(prefix="intmod-benchmark-"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "intmod_site.settings")
if "DATABASE_URL" not in os.environ:
    from tests.postgres import start

    os.environ["DATABASE_URL"] = start()

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from authz.audit.actor import SYSTEM  # noqa: E402
from authz.identity.members import create_project  # noqa: E402
from authz.models import Project  # noqa: E402
from benchmarks import machine  # noqa: E402
from benchmarks.processes import free_port, running  # noqa: E402
from integrations.models import WebhookDelivery  # noqa: E402
from integrations.webhooks.endpoints import register_endpoint  # noqa: E402
from integrations.webhooks.services import publish  # noqa: E402

ENDPOINTS = 100
IDLE_MESSAGES, IDLE_EVERY_S = 100, 0.1
PATIENCE_S = 5.0
DATA = {"text": "x" * 200}
MEASURES = ("throughput", "idle", "dead_neighbour", "killed")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("measures", nargs="*", default=MEASURES, metavar="MEASURE")
    parser.add_argument("--messages", type=int, default=2000)
    parser.add_argument("--queued", type=int, default=10_000)
    asked = parser.parse_args()
    call_command("migrate", verbosity=0, interactive=False)
    print(f"{machine.describe()}, {connection.vendor}, load {os.getloadavg()[0]:.1f}")
    os.sched_setaffinity(0, {machine.LOAD_CORE})
    with receiver() as world:
        for name in asked.measures:
            getattr(world, name)(asked)


class World:
    """A project, a receiver at `port`, and one that never answers at `dead_port`."""

    def __init__(self, port: int, dead_port: int) -> None:
        self.port, self.dead_port = port, dead_port
        self.count = 0

    def project(self) -> Project:
        self.count += 1
        return create_project(actor=SYSTEM, slug=f"b{self.count}", name="Benchmark")

    def endpoint(self, project: Project, *, dead: bool = False) -> None:
        self.count += 1
        register_endpoint(
            actor=SYSTEM,
            project=project,
            url=f"http://127.0.0.1:{self.dead_port if dead else self.port}/{self.count}",
            event_types=["*"],
            timeout_s=PATIENCE_S,
        )

    def arrivals(self) -> dict[str, float]:
        url = f"http://127.0.0.1:{self.port}/arrivals"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return dict(json.load(answer))

    def throughput(self, asked: argparse.Namespace) -> None:
        """One endpoint, a worker on a core of its own, everything published before it starts."""
        messages, project = asked.messages, self.project()
        self.endpoint(project)
        for _ in range(messages):
            publish("order.created", DATA, project=project)
        with worker(wait=False) as process:
            until(drained)
            used_s = machine.cpu_s([process.pid])
        moments = sorted(self.arrivals().values())
        took_s = moments[-1] - moments[0]
        print(
            f"throughput: {(messages - 1) / took_s:,.0f} deliveries/s, {messages} to one endpoint; "
            f"the worker used {used_s / messages * 1000:.2f} ms of its core for each, its start "
            "included"
        )

    def idle(self, asked: argparse.Namespace) -> None:
        """One message at a time, from its commit to the receiver."""
        project = self.project()
        self.endpoint(project)
        with worker():
            self._publish_steadily(project)
            until(drained)
        print(f"first attempt from commit, idle: {self._latencies()}")

    def dead_neighbour(self, asked: argparse.Namespace) -> None:
        """100 endpoints with a queue, all well and then with one that hangs."""
        queued, found = asked.queued, []
        for dead in (False, True):
            project = self.project()
            for number in range(ENDPOINTS):
                self.endpoint(project, dead=dead and number == 0)
            for _ in range(queued // ENDPOINTS):
                self._published(project)
            with worker():
                left = queued // ENDPOINTS if dead else 0
                until(lambda left=left: drained(but=left))
            found.append(percentile(self._waits(), 99))
            name = f"one of {ENDPOINTS} dead" if dead else f"{ENDPOINTS} well"
            print(f"{queued} queued, {name}: p99 of the healthy ones from commit {found[-1]:.2f} s")
            WebhookDelivery.objects.filter(state="pending").delete()
        print(f"with a dead neighbour: {found[1] / found[0]:.2f} times")
        project = self.project()
        self.endpoint(project, dead=True)
        for _ in range(queued // 10):
            publish("order.created", DATA, project=project)
        other = self.project()
        self.endpoint(other)
        with worker():
            self._publish_steadily(other)
            until(lambda: drained(but=queued // 10))
        print(f"first attempt, {queued // 10} waiting for a dead endpoint: {self._latencies()}")
        WebhookDelivery.objects.filter(state="pending").delete()

    def killed(self, asked: argparse.Namespace) -> None:
        """Two workers, one killed while it has claims: until everything has arrived."""
        project = self.project()
        self.endpoint(project)
        for _ in range(asked.messages):
            publish("order.created", DATA, project=project)
        delivered = WebhookDelivery.objects.filter(message__project=project, state="succeeded")
        with worker(wait=False) as first:
            until(lambda: delivered.count() > asked.messages // 4, every_s=0.01)
            os.kill(first.pid, signal.SIGKILL)
            killed_at = time.time()
            first.wait()
            now = timezone.now()
            claimed = WebhookDelivery.objects.filter(state="pending", next_attempt_at__gt=now)
            left = claimed.count()
            with worker(wait=False):
                until(drained)
        ended = delivered.latest("ended_at").ended_at.timestamp()
        print(
            f"a worker killed with {left} claims: all {asked.messages} delivered by another "
            f"{ended - killed_at:.1f} s later, its start included (an attempt may take "
            f"{PATIENCE_S:.0f} s, a claim lasts 6 s more)"
        )
        self.arrivals()

    def _publish_steadily(self, project: Project) -> None:
        for _ in range(IDLE_MESSAGES):
            self._published(project)
            time.sleep(IDLE_EVERY_S)

    def _published(self, project: Project) -> None:
        message = publish("order.created", DATA, project=project)
        self._commits[message.message_id] = time.time()

    _commits: dict[str, float] = {}

    def _waits(self) -> list[float]:
        arrivals = self.arrivals()
        return [
            moment - self._commits[key.partition(" ")[2]]
            for key, moment in arrivals.items()
            if key.partition(" ")[2] in self._commits
        ]

    def _latencies(self) -> str:
        waits = [wait_s * 1000 for wait_s in self._waits()]
        return f"p50 {percentile(waits, 50):.0f} ms, p99 {percentile(waits, 99):.0f} ms"


@contextmanager
def receiver() -> Iterator[World]:
    port, dead_port = free_port(), free_port()
    command = [sys.executable, "-m", "benchmarks.webhook_receiver", str(port), str(dead_port)]
    log = Path(tempfile.mkdtemp(prefix="intmod-benchmark-")) / "receiver.log"
    with running(command, port=port, ready_path="/", core=machine.LOAD_CORE, log=log):
        yield World(port, dead_port)


@contextmanager
def worker(*, wait: bool = True) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a worker on the server's core; wait until it must have started."""
    process = subprocess.Popen(
        ["taskset", "-c", str(machine.SERVER_CORE), sys.executable, "manage.py", "deliver_webhooks"]
    )
    try:
        if wait:
            time.sleep(3)
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait()


def drained(but: int = 0) -> bool:
    return WebhookDelivery.objects.filter(state="pending").count() <= but


def until(true: Callable[[], bool], every_s: float = 0.25) -> None:
    while not true():
        time.sleep(every_s)


def percentile(values: list[float], share: int) -> float:
    """Give the nearest-rank percentile."""
    ordered = sorted(values)
    return ordered[max(math.ceil(len(ordered) * share / 100) - 1, 0)]


if __name__ == "__main__":
    main()
