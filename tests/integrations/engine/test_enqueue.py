"""A job is there exactly if the transaction that enqueued it was committed."""

import json
from typing import Any

import pytest
from django.db import connection, transaction

from integrations.engine import jobs
from integrations.engine.enqueue import enqueue
from integrations.engine.states import states
from integrations.engine.tables import rows, table

pytestmark = pytest.mark.django_db(transaction=True)

JOB = "engine.periodic"


def put(workflow_id: str, *ids: Any, job: str = JOB, queue: str = "flows", **more: Any) -> bool:
    return enqueue(job, *ids or ("x",), workflow_id=workflow_id, queue=queue, **more)


@pytest.fixture(autouse=True)
def no_jobs(transactional_db: None) -> None:
    """A flush leaves the engine's tables alone."""
    with connection.cursor() as cursor:
        for name in ("workflow_input", "workflow_status"):
            cursor.execute(f"DELETE FROM {table(name)}")


def put_and_break(workflow_id: str) -> None:
    with transaction.atomic():
        put(workflow_id)
        raise KeyError


def test_what_is_rolled_back_is_not_there_and_what_is_committed_is() -> None:
    with pytest.raises(KeyError):
        put_and_break("rolled back")
    with transaction.atomic():
        put("committed")
        with pytest.raises(KeyError):
            put_and_break("savepoint")
    put("alone")
    assert states(["rolled back", "committed", "savepoint", "alone"]) == {
        "committed": "ENQUEUED", "alone": "ENQUEUED",
    }  # fmt: skip


def test_the_same_id_again_is_the_same_job() -> None:
    assert put("one", "first")
    assert not put("one", "second")
    with transaction.atomic():
        assert not put("one", "third")
    (kept,) = rows("SELECT inputs FROM {workflow_input} WHERE workflow_uuid = 'one'")
    assert json.loads(kept[0]) == {"positionalArgs": ["first"], "namedArgs": {}}


def test_a_delayed_job_waits() -> None:
    put("later", delay_s=3600)
    (row,) = rows(
        "SELECT status, delay_until_epoch_ms - created_at FROM {workflow_status}"
        " WHERE workflow_uuid = 'later'"
    )
    assert row == ("DELAYED", 3_600_000)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"job": "no.such"}, "no job"),
        ({"queue": "nowhere"}, "no queue"),
        ({"queue": "hooks"}, "needs a partition"),
        ({"partition": "p"}, "takes no partition"),
        ({"delay_s": -1}, "delay"),
        ({"delay_s": float("nan")}, "delay"),
        ({"workflow_id": ""}, "1 to 200"),
        ({"workflow_id": "x" * 201}, "1 to 200"),
        ({"workflow_id": " x"}, "1 to 200"),
    ],
)
def test_what_cannot_be_run_is_refused(change: dict[str, Any], message: str) -> None:
    options: dict[str, Any] = {"job": JOB, "workflow_id": "w", "queue": "flows", **change}
    job = options.pop("job")
    with pytest.raises(ValueError, match=message):
        enqueue(job, "x", **options)
    assert rows("SELECT count(*) FROM {workflow_status}") == [(0,)]


def test_a_row_is_no_id() -> None:
    with pytest.raises(ValueError, match="takes ids"):
        put("w", {"a": "row"})


def test_two_jobs_do_not_share_an_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_jobs", dict(jobs._jobs))
    jobs.register_job("test.other", "nowhere.at_all")
    put("mine")
    with pytest.raises(ValueError, match=r"is a job 'engine.periodic', not 'test.other'"):
        put("mine", job="test.other")


def test_a_name_is_registered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_jobs", dict(jobs._jobs))
    jobs.register_job(JOB, jobs.registered_job(JOB).path)
    with pytest.raises(ValueError, match="another job"):
        jobs.register_job(JOB, "somewhere.else")
