"""Jobs and deliveries while workers are killed: all of them are done, on both databases."""

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.integrations.engine.workers import Site, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

RUNS, DELIVERIES, KILLS = 50, 100, 3
CONCURRENCY, THREADS = 4, 4

PREPARE = """
import json
from authz.audit.actor import SYSTEM
from authz.identity.members import create_project
from integrations.webhooks.catalogue import create_event_type
from integrations.webhooks.endpoints import register_endpoint
project = create_project(actor=SYSTEM, slug="chaos", name="Chaos")
create_event_type(actor=SYSTEM, project=project, name="n.counted", schema={{"type": "object"}})
register_endpoint(
    actor=SYSTEM, project=project, url="http://127.0.0.1:{port}/in", event_types=["n.*"],
    timeout_s=2,
)
print(json.dumps("done"))
"""
BEGIN = """
import json
from django.db import transaction
from authz.models import Project
from integrations.engine.enqueue import enqueue
from integrations.webhooks.services import publish
project = Project.objects.get(slug="chaos")
for n in range({runs}):
    enqueue("sample.run", str(n), 0, workflow_id=f"run:{{n}}:0", queue="flows")
for n in range({deliveries}):
    with transaction.atomic():
        publish("n.counted", {{"n": n}}, project=project)
print(json.dumps("done"))
"""


@contextmanager
def receiver() -> Iterator[tuple[int, Counter[int]]]:
    """Count what comes, by its number."""
    came: Counter[int] = Counter()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            """Take a moment."""
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            time.sleep(0.1)
            came[body["data"]["n"]] += 1
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- http.server's
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port, came
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("vendor", ["sqlite", "postgresql"])
def test_everything_is_done_however_many_workers_are_killed(tmp_path: Path, vendor: str) -> None:
    site = Site(tmp_path, vendor)
    words = ("--concurrency", str(CONCURRENCY), "--webhook-threads", str(THREADS))
    ended = [[str(n), part] for n in range(RUNS) for part in (0, 1)]

    def runs(word: str) -> list[list[object]]:
        return [note[2:4] for note in site.notes("run") if note[-1] == word]

    with receiver() as (port, came), ExitStack() as workers:
        site.shell(PREPARE.format(port=port))
        alive = [workers.enter_context(site.worker(*words)) for _ in range(2)]
        site.shell(BEGIN.format(runs=RUNS, deliveries=DELIVERIES))
        for _ in range(KILLS):
            killed = alive.pop(random.randrange(len(alive)))
            killed.kill()
            alive.append(workers.enter_context(site.worker(*words)))
        until(lambda: sorted(map(tuple, ended)) == sorted(set(map(tuple, runs("end")))), 80)
        until(lambda: len(came) == DELIVERIES, 80)
        ids = [f"run:{n}:{part}" for n in range(RUNS) for part in (0, 1)]
        until(lambda: set(site.states(*ids).values()) == {"SUCCESS"}, 30)
    # What was under way in a killed worker came twice, and nothing else did.
    assert sum(came.values()) - DELIVERIES <= KILLS * THREADS
    for word in ("begin", "end"):
        assert len(runs(word)) - 2 * RUNS <= KILLS * CONCURRENCY
