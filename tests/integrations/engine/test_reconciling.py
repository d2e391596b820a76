"""Rows that wait for a job which is not there get one."""

import pytest
from django.db import connection

from authz.models import Project
from integrations.engine import reconciling
from integrations.engine.enqueue import enqueue
from integrations.engine.reconciling import TIMES, Reconciler, reconcile, register_reconciler
from integrations.engine.states import states
from integrations.engine.tables import table

pytestmark = pytest.mark.django_db

WAITING = Reconciler(
    job="engine.periodic",
    queue="sync",
    waiting=lambda: Project.objects.filter(name__startswith="waits"),
    workflow_id=lambda project: f"project:{project.name}",
    ids=lambda project: (project.name,),
)


def waits(name: str = "waits") -> str:
    Project.objects.create(name=name, slug=name)
    return f"project:{name}"


def end(workflow_id: str, status: str = "ERROR") -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table('workflow_status')} SET status = %s WHERE workflow_uuid = %s",
            [status, workflow_id],
        )


def test_a_missing_job_is_enqueued_and_a_waiting_one_left_alone() -> None:
    missing, there = waits("waits-a"), waits("waits-b")
    enqueue("engine.periodic", "waits-b", workflow_id=there, queue="sync")
    Project.objects.create(name="done", slug="done")
    assert reconcile(WAITING) == 1
    assert states([missing, there, "project:done"]) == {missing: "ENQUEUED", there: "ENQUEUED"}
    assert reconcile(WAITING) == 0


def test_a_job_that_ended_while_its_row_waits_is_enqueued_again_a_few_times() -> None:
    first = waits()
    for number in range(TIMES):
        assert reconcile(WAITING) == 1
        end(first if number == 0 else f"{first}~{number}")
    assert reconcile(WAITING) == 0, "somebody has to look at it"


def test_a_row_that_ended_meanwhile_gets_none() -> None:
    workflow_id = waits()
    asked = []

    def waiting() -> object:
        asked.append(1)
        # Once to find it, once before enqueueing.
        return Project.objects.filter(name="waits" if len(asked) == 1 else "gone")

    told = Reconciler(
        job=WAITING.job, queue="sync", waiting=waiting, workflow_id=WAITING.workflow_id
    )  # type: ignore[arg-type]
    assert reconcile(told) == 0
    assert states([workflow_id]) == {}


def test_more_rows_than_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciling, "BATCH", 2)
    for number in range(5):
        waits(f"waits-{number}")
    assert reconcile(WAITING) == 5


def test_everybody_who_registered_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciling, "_paths", [])
    register_reconciler(f"{__name__}.WAITING")
    register_reconciler(f"{__name__}.WAITING")
    waits()
    assert reconciling.reconcile_all() == 1
