"""Workers as processes: ended, killed and stopped in the middle of jobs, on both databases."""

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.integrations.engine.workers import Site, until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def site(request: Any, tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("site"), request.param)


def test_a_job_runs_and_one_that_fails_says_why_without_the_secret(site: Site) -> None:
    with site.worker():
        site.enqueue("sample.note", "a", 1, workflow_id="one")
        site.enqueue("sample.fails", "failing", workflow_id="failing")
        site.enqueue("sample.shaky", "shaky", workflow_id="shaky")
        until(lambda: len(site.notes("shaky")) == 2)
        until(lambda: len(site.notes("failing")) == 1)
        until(lambda: ["a", 1] in [note[2:] for note in site.notes("note")])
        time.sleep(0.5)
    assert ["a", 1] in [note[2:] for note in site.notes("note")]
    assert site.states("one", "failing", "shaky") == {
        "one": "SUCCESS", "failing": "ERROR", "shaky": "SUCCESS",
    }  # fmt: skip
    kept = site.shell(
        "from integrations.engine.tables import rows; import json; print(json.dumps("
        "rows('SELECT error FROM {workflow_output} WHERE workflow_uuid = %s', ['failing'])"
        " + rows('SELECT error FROM {operation_outputs} WHERE workflow_uuid = %s', ['failing'])))"
    )
    assert "refused the key [secret]" in str(kept)
    assert "sk-" not in str(kept)


def test_a_killed_worker_is_taken_over_and_finished_steps_are_not_run_again(site: Site) -> None:
    with site.worker(), site.worker():
        os.kill(site.busy_with("killed", hold_ms=1500), signal.SIGKILL)
        took_s = until(lambda: site.words("killed").count("second begins") == 2)
        until(lambda: "third" in site.words("killed"))
    assert took_s < 3 + 5
    assert site.words("killed").count("first") == 1
    assert site.words("killed").count("third") == 1


def test_a_worker_that_was_stopped_does_no_harm_when_it_goes_on(site: Site) -> None:
    with site.worker() as first, site.worker() as second:
        stopped = site.busy_with("stopped", hold_ms=1500)
        os.kill(stopped, signal.SIGSTOP)
        until(lambda: "third" in site.words("stopped"))
        os.kill(stopped, signal.SIGCONT)
        until(lambda: site.words("stopped").count("second ends") == 2)
        time.sleep(1)
        assert site.words("stopped").count("first") == 1
        assert site.words("stopped").count("third") == 1
        assert site.states("stopped") == {"stopped": "SUCCESS"}
        # It is a worker again: the only one, if the other one ends.
        other = second if first.pid == stopped else first
        other.terminate()
        site.enqueue("sample.note", "after", workflow_id="after-stop")
        until(lambda: any(note[2:] == ["after"] for note in site.notes("note")))
        assert (first.poll(), second.poll()).count(None) >= 1


def test_a_job_that_kills_workers_is_given_up(site: Site) -> None:
    site.enqueue("sample.killer", "killer", workflow_id="killer")
    deaths = 0
    for _ in range(8):
        with site.worker() as worker:
            try:
                assert worker.wait(timeout=7) == 9
            except Exception:  # noqa: BLE001 -- it lives: the job was given up
                break
            deaths += 1
    assert site.states("killer") == {"killer": "MAX_RECOVERY_ATTEMPTS_EXCEEDED"}
    assert deaths == len(site.notes("killer")) == 4


def test_sigterm_lets_the_job_be_finished(site: Site) -> None:
    with site.worker() as worker:
        site.busy_with("drained", hold_ms=2000)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=30) == 0
    assert site.words("drained") == ["first", "second begins", "second ends", "third"]
    assert site.states("drained") == {"drained": "SUCCESS"}
    lease = site.shell(
        "from integrations.models import Worker; import json; print(json.dumps("
        "[bool(row.ended_at) for row in Worker.objects.order_by('-started_at')[:1]]))"
    )
    assert lease == [True]


def test_what_takes_longer_than_a_drain_is_left_for_others(tmp_path: Path) -> None:
    site = Site(tmp_path, "sqlite", WORKER_DRAIN_S="1")
    with site.worker() as first, site.worker() as second:
        busy = site.busy_with("long", hold_ms=5000)
        worker = first if first.pid == busy else second
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=20) == 0
        until(lambda: "third" in site.words("long"))
    assert site.words("long").count("first") == 1
    assert "left for others" in (tmp_path / "worker.log").read_text()


def test_segments_follow_each_other(site: Site) -> None:
    with site.worker("--queues", "flows", "--concurrency", "2"):
        site.enqueue("sample.segments", "long flow", 0, 2, workflow_id="long flow:0")
        until(lambda: site.words("long flow") == [0, 1, 2])
    times = [note[1] for note in site.notes("long flow")]
    assert times[1] - times[0] >= 0.9
    assert times[2] - times[1] >= 0.9


def test_of_two_workers_one_runs_each_tick(site: Site) -> None:
    site.notes_file.write_text("")
    since_ms = int(time.time() * 1000)
    with site.worker() as first, site.worker() as second:
        time.sleep(7)
        for worker in (first, second):
            worker.send_signal(signal.SIGTERM)
        assert [worker.wait(timeout=30) for worker in (first, second)] == [0, 0]
    runs = site.notes_file.read_text().count('"periodic"')
    ticks = site.shell(
        "from integrations.engine.tables import rows; import json; print(json.dumps(rows("
        "\"SELECT status FROM {workflow_status} WHERE workflow_uuid LIKE 'periodic:sample:%%'"
        f' AND updated_at >= %s", [{since_ms}])))'
    )
    assert ticks == [["SUCCESS"]] * runs
    assert 3 <= runs <= (time.time() - since_ms / 1000) / 2 + 1
    known = site.shell(
        "from integrations.models import PeriodicJob; import json; "
        "row = PeriodicJob.objects.get(pk='sample'); "
        "print(json.dumps([row.outcome, row.duration_s is not None]))"
    )
    assert known == ["done", True]
