"""What the audit log costs a change, and how fast it is sealed and verified.

python -m benchmarks.audit [--events N]

DATABASE_URL names another database than SQLite in a folder of its own; it must be empty.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

os.environ.setdefault("INTMOD_DATA_DIR", tempfile.mkdtemp(prefix="intmod-benchmark-"))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "intmod_site.settings")

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.test import Client  # noqa: E402

from authz.audit.actor import SYSTEM, Actor  # noqa: E402
from authz.audit.record import record_event  # noqa: E402
from authz.audit.seal import seal_events  # noqa: E402
from authz.audit.verify import verify  # noqa: E402
from authz.identity.keys import create_api_key  # noqa: E402
from authz.identity.members import create_project, create_user  # noqa: E402
from authz.identity.memberships import set_membership  # noqa: E402
from authz.identity.roles import role_named  # noqa: E402
from authz.models import AuditEvent, Project  # noqa: E402
from benchmarks.machine import describe  # noqa: E402
from registry.catalog import services  # noqa: E402

PAIRS, CREATES = 41, 15


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=20_000)
    events = parser.parse_args().events
    call_command("migrate", verbosity=0, interactive=False)
    print(f"{describe()}, {connection.vendor}")
    project = create_project(actor=SYSTEM, slug="benchmark", name="Benchmark")
    _cost_of_a_create(project)
    _seal_and_verify(events, project)


def _cost_of_a_create(project: Project) -> None:
    """Create models with and without their audit events, in turn, each in its own transaction."""
    names = iter(range(10**9))

    def create() -> None:
        services.create_model(
            actor=SYSTEM, project=project, name=f"model-{next(names)}", model_type="llm"
        )

    user = create_user(actor=SYSTEM, username="ada", password="correct horse battery staple")
    set_membership(actor=SYSTEM, user=user, project=project, role=role_named("admin"))
    _, key = create_api_key(actor=SYSTEM, user=user, project=project, name="benchmark")
    client = Client(headers={"Authorization": f"Bearer {key}"})

    def request() -> None:
        body = {"name": f"model-{next(names)}", "model_type": "llm"}
        answer = client.post("/api/v1/registry/models", body, content_type="application/json")
        if answer.status_code != 201:
            raise SystemExit(answer.content.decode())

    for what, do in (("a create by the service", create), ("a create by the API", request)):
        for _ in range(CREATES):
            do()
        wall, processor = [], []
        for _ in range(PAIRS):
            with _unrecorded():
                without = _timed(do)
            recorded = _timed(do)
            wall.append(recorded[0] / without[0] - 1)
            processor.append(recorded[1] / without[1] - 1)
        print(
            f"cost on {what}: {statistics.median(wall):+.1%} of its time, "
            f"{statistics.median(processor):+.1%} of its processor time "
            f"(medians of {PAIRS} pairs of {CREATES}; {without[1] / CREATES * 1e6:,.0f} us without)"
        )


def _timed(do: Callable[[], None]) -> tuple[float, float]:
    began, began_cpu = time.perf_counter(), time.process_time()
    for _ in range(CREATES):
        do()
    return time.perf_counter() - began, time.process_time() - began_cpu


@contextmanager
def _unrecorded() -> Iterator[None]:
    """Leave out all that recording does; the product has no such switch."""

    def nothing(**_: Any) -> None: ...

    with (
        mock.patch.object(services, "record_change", nothing),
        mock.patch.object(services, "state_of", return_value={}),
    ):
        yield


def _seal_and_verify(count: int, project: Project) -> None:
    actor = Actor("human", "ada", str(project.pk), "api_key:0123456789ab", "192.0.2.17")
    with transaction.atomic():
        for number in range(count):
            record_event(
                actor=actor,
                action="benchmark.done",
                outcome=AuditEvent.Outcome.SUCCESS,
                project=project,
                changes={"name": [None, f"model-{number}"], "tags": [{}, {"team": "search"}]},
            )
    count = AuditEvent.objects.count()
    steps: tuple[tuple[str, Callable[[], Any]], ...]
    steps = (("sealed", seal_events), ("verified", verify))
    for name, do in steps:
        rates = []
        for _ in range(7 if do is verify else 1):
            began, began_cpu = time.perf_counter(), time.process_time()
            found = do()
            wall_s, cpu_s = time.perf_counter() - began, time.process_time() - began_cpu
            rates.append((count / wall_s, count / cpu_s))
            if do is verify and not found.is_intact:
                raise SystemExit(found.problems[0].message)
        print(
            f"{name}: {statistics.median(rate for rate, _ in rates):,.0f} events per second, "
            f"{statistics.median(rate for _, rate in rates):,.0f} per core-second "
            f"(medians of {len(rates)}; at best {max(rate for _, rate in rates):,.0f})"
        )


if __name__ == "__main__":
    main()
