"""The worker beside the quickstart's server: stopped with it, and missed when it is gone."""

import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from registry.management.commands import quickstart
from registry.quickstart import server


def sleeper(seconds: float) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-c", f"import time; time.sleep({seconds})"])


def test_a_dead_worker_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quickstart, "WATCH_S", 0.02)
    people = StringIO()
    with sleeper(1) as serving, sleeper(0) as working:
        quickstart._wait(serving, working, people)
    assert people.getvalue().count("The worker ended by itself") == 1
    assert "worker.log" in people.getvalue()


def test_a_worker_that_lives_is_not_talked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quickstart, "WATCH_S", 0.02)
    people = StringIO()
    with sleeper(0.3) as serving, sleeper(60) as working:
        quickstart._wait(serving, working, people)
        working.kill()
    assert people.getvalue() == ""


def test_the_worker_is_stopped_with_the_block(tmp_path: Path, settings: Any) -> None:
    """What runs is a stand-in for manage.py, which notes how it was called and waits."""
    settings.DATA_DIR = settings.BASE_DIR = tmp_path
    (tmp_path / "manage.py").write_text(
        "import sys, time; print(sys.argv[1:], flush=True); time.sleep(60)"
    )
    with server.running_worker() as process:
        while not (tmp_path / "worker.log").read_text():
            assert process.poll() is None
    assert process.returncode is not None
    assert "'worker', '--concurrency', '4'" in (tmp_path / "worker.log").read_text()
