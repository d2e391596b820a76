"""The page of workers: who is alive, what waits, what failed and why, what runs by the clock."""

import time
from datetime import timedelta

from django.db import connection
from django.test import Client
from django.utils import timezone

from integrations.engine.enqueue import enqueue
from integrations.engine.overview import failures, queue_states
from integrations.engine.tables import table
from integrations.models import PeriodicJob, Worker
from tests.admin.working import fail
from tests.admin.world import World

ADDRESS = "/admin/integrations/worker/"


def shown(staff: Client) -> str:
    return " ".join(staff.get(ADDRESS).content.decode().split())


def test_what_there_is_to_do_and_who_does_it(staff: Client) -> None:
    page = shown(staff)
    assert "No worker is alive" not in page
    assert "Alive" in page
    assert "Silent for 3" in page
    assert "1: engine.periodic" in page
    assert "every 1 h" in page
    assert "every 30 s" in page
    assert "at 03:20 UTC" in page
    assert "KeyError: [secret]" in page
    assert "sk-abc" not in page
    assert "OperationalError: no such table" in page
    flows = next(one for one in queue_states() if one.name == "flows")
    assert (flows.waiting, flows.delayed, flows.running) == (1, 1, 0)
    assert flows.oldest_s is not None


def test_a_job_is_late_from_when_it_was_due(world: World) -> None:
    enqueue("engine.periodic", "x", workflow_id="later", queue="suites", delay_s=3600)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table('workflow_status')} SET status = 'ENQUEUED'"
            " WHERE workflow_uuid = 'later'"
        )
    states = {one.name: one for one in queue_states(time.time() + 3610)}
    assert 9 <= (states["suites"].oldest_s or 0) <= 11


def test_nobody_is_there(staff: Client) -> None:
    Worker.objects.all().delete()
    PeriodicJob.objects.all().delete()
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table('workflow_status')}")
    page = shown(staff)
    assert "No worker is alive" in page
    assert "None." in page
    assert page.count("never") >= 8


def test_a_job_that_killed_workers_is_told_as_given_up(staff: Client) -> None:
    fail("killer", "not json at all sk-abcdefghijklmnop12", "MAX_RECOVERY_ATTEMPTS_EXCEEDED")
    fail("yesterday", '{"name": "X", "message": "y"}')
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table('workflow_status')} SET updated_at = 0 WHERE workflow_uuid = %s",
            ["yesterday"],
        )
    count, listed = failures()
    assert count == len(listed) == 2, "one of those is the world's"
    (killer,) = [one for one in listed if one.workflow_id == "killer"]
    assert killer.given_up
    assert killer.error == "not json at all [secret]"
    assert "Given up" in shown(staff)


def test_one_worker_and_its_jobs(staff: Client) -> None:
    worker = Worker.objects.alive().get()
    page = staff.get(f"{ADDRESS}{worker.pk}/change/").content.decode()
    assert "periodic:x" in page
    Worker.objects.update(ended_at=timezone.now() - timedelta(hours=1))
    assert "Ended" in shown(staff)
