"""Jobs that note in a file what they do, for the workers that tests start."""

import json
import os
import time
from pathlib import Path
from typing import Any

from django.db import OperationalError, transaction

from integrations.engine.enqueue import enqueue
from integrations.engine.jobs import Steps, register_job

HERE = "tests.integrations.engine.sample_jobs"


def extend(extensions: Any) -> None:
    """Make the jobs known."""
    for name in ("note", "three", "segments", "run", "fails", "shaky", "killer"):
        register_job(f"sample.{name}", f"{HERE}.{name}", attempts=3 if name == "killer" else 20)


def noted(*words: Any) -> None:
    """Append a line, which other processes see whole."""
    line = json.dumps([os.getpid(), round(time.time(), 3), *words]) + "\n"
    with Path(os.environ["SAMPLE_NOTES"]).open("a") as file:
        file.write(line)


def note(steps: Steps, *ids: Any) -> None:
    """One step."""
    steps.run("note", noted, "note", *ids)


def three(steps: Steps, key: str, hold_ms: int) -> None:
    """Three steps; the middle one takes long."""
    steps.run("first", noted, key, "first")
    steps.run("second", _slow, key, hold_ms)
    steps.run("third", noted, key, "third")


def _slow(key: str, hold_ms: int) -> None:
    noted(key, "second begins")
    time.sleep(hold_ms / 1000)
    noted(key, "second ends")


def segments(steps: Steps, key: str, number: int, last: int) -> None:
    """One segment of a long flow: it enqueues the next one and ends."""
    steps.run("segment", _segment, key, number, last)


def _segment(key: str, number: int, last: int) -> None:
    with transaction.atomic():
        noted(key, number)
        if number < last:
            enqueue(
                "sample.segments", key, number + 1, last, workflow_id=f"{key}:{number + 1}",
                queue="flows", delay_s=1,
            )  # fmt: skip


def run(steps: Steps, key: str, part: int) -> None:
    """A run of two segments, a second apart, each of two steps."""
    steps.run("begin", noted, "run", key, part, "begin")
    steps.run("work", _work, key, part)


def _work(key: str, part: int) -> None:
    time.sleep(0.2)
    with transaction.atomic():
        noted("run", key, part, "end")
        if part == 0:
            enqueue("sample.run", key, 1, workflow_id=f"run:{key}:1", queue="flows", delay_s=1)


def fails(steps: Steps, key: str) -> None:
    """Fail, with a secret in the message."""
    steps.run("fail", _fail, key)


def _fail(key: str) -> None:
    noted(key, "failing")
    raise RuntimeError("refused the key sk-abcdefghijklmnop1234")


def shaky(steps: Steps, key: str) -> None:
    """Succeed the second time."""
    steps.run("shaky", _shaky, key)


def _shaky(key: str) -> None:
    noted(key, "try")
    if Path(os.environ["SAMPLE_NOTES"]).read_text().count(f'"{key}", "try"') < 2:
        raise OperationalError("server closed the connection unexpectedly")


def killer(steps: Steps, key: str) -> None:
    """End the process that runs it."""
    noted(key, "killed")
    os._exit(9)


def periodic() -> None:
    """A periodic job."""
    noted("periodic")
