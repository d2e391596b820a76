"""Real workers on a database of their own."""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.acceptance.server import ROOT, database_url


class Site:
    """An installation: a migrated database, and a file in which sample jobs note what they do."""

    def __init__(self, folder: Path, vendor: str, **settings: str) -> None:
        self.notes_file = folder / "notes"
        self.notes_file.touch()
        self.environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.integrations.engine.worker_settings",
            "INTMOD_DATA_DIR": str(folder),
            "INTMOD_EXTENSIONS": "tests.integrations.engine.sample_jobs",
            "SAMPLE_NOTES": str(self.notes_file),
            "DATABASE_URL": database_url(vendor),
            "WORKER_BEAT_S": "0.5",
            "WORKER_LEASE_S": "3",
            **settings,
        }
        self.manage("migrate", "-v0")

    def manage(self, *words: str) -> str:
        """Run a command to its end; gives what it wrote."""
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    def shell(self, code: str) -> Any:
        """Run code that prints one JSON value last."""
        return json.loads(self.manage("shell", "-v0", "-c", code).strip().splitlines()[-1])

    def enqueue(self, job: str, *ids: Any, workflow_id: str, queue: str = "flows") -> None:
        """Enqueue one job."""
        self.shell(
            "from integrations.engine.enqueue import enqueue; import json; print(json.dumps("
            f"enqueue({job!r}, *{ids!r}, workflow_id={workflow_id!r}, queue={queue!r})))"
        )

    def states(self, *workflow_ids: str) -> dict[str, str]:
        """Give what became of jobs."""
        found: dict[str, str] = self.shell(
            "from integrations.engine.states import states; import json; "
            f"print(json.dumps(states({workflow_ids!r})))"
        )
        return found

    def notes(self, key: str) -> list[list[Any]]:
        """Give what was noted under a key: each without it, after the process id and the time."""
        lines = map(json.loads, self.notes_file.read_text().splitlines())
        return [[pid, at, *rest] for pid, at, word, *rest in lines if word == key]

    def words(self, key: str) -> list[Any]:
        """Give only the last words of those."""
        return [note[-1] for note in self.notes(key)]

    def busy_with(self, key: str, *, hold_ms: int) -> int:
        """Enqueue a job of three steps; gives who is in the middle of it, as soon as it is."""
        # The process that enqueues ends long after its commit, and the job does not wait for it.
        enqueueing = threading.Thread(
            target=self.enqueue, args=("sample.three", key, hold_ms), kwargs={"workflow_id": key}
        )
        enqueueing.start()
        until(lambda: "second begins" in self.words(key))
        return int(self.notes(key)[0][0])

    @contextmanager
    def worker(self, *words: str) -> Iterator[subprocess.Popen[str]]:
        """Run a worker that is ready when the block begins."""
        log = (self.notes_file.parent / "worker.log").open("a")
        with log, subprocess.Popen(
            [sys.executable, "manage.py", "worker", "--json", *words],
            cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True,
        ) as process:  # fmt: skip
            try:
                assert process.stdout is not None
                assert json.loads(process.stdout.readline())["ready"]
                yield process
            finally:
                with suppress(ProcessLookupError):
                    process.kill()


def until(true: Callable[[], bool], within_s: float = 30) -> float:
    """Wait for something to come true; gives how long that took."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < within_s, "it has not come true"
        time.sleep(0.05)
    return time.monotonic() - began
