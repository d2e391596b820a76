"""Ticks of periodic jobs: enqueued once, run with how it went kept; missed ones are not made up."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.db import connection
from django.utils.module_loading import import_string

from integrations.engine.periodic import JOB, Clock, run_tick
from integrations.engine.running import InlineSteps
from integrations.engine.schedule import read_timetable
from integrations.engine.tables import rows, table
from integrations.models import PeriodicJob

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
HERE = "tests.integrations.engine.test_periodic"


def works() -> None:
    """A periodic job."""


def breaks() -> None:
    """One that does not work."""
    raise RuntimeError("no route to 10.1.2.3")


@pytest.fixture(autouse=True)
def periodic_jobs(settings: Any) -> None:
    settings.PERIODIC_JOBS = {"works": {"run": f"{HERE}.works", "every_s": 30}}


def end(workflow_id: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table('workflow_status')} SET status = 'SUCCESS' WHERE workflow_uuid = %s",
            [workflow_id],
        )


def test_each_tick_is_enqueued_by_one_of_several_clocks() -> None:
    now = [NOON]
    clocks = [Clock(lambda: now[0]) for _ in range(3)]
    assert [clock.tick() for clock in clocks] == [["works"], [], []]
    assert [clock.tick() for clock in clocks] == [[], [], []]
    end(PeriodicJob.objects.get().workflow_id)
    now[0] += timedelta(hours=3, seconds=1)
    assert [clock.tick() for clock in clocks] == [["works"], [], []], "one for all that were missed"
    assert PeriodicJob.objects.get().due_at == NOON + timedelta(hours=3)
    found = rows(
        "SELECT name, queue_name FROM {workflow_status}"
        " WHERE workflow_uuid LIKE 'periodic:works:%%'"
    )
    assert found == [(JOB, "monitor")] * 2


def test_a_tick_waits_for_the_one_before() -> None:
    assert Clock(lambda: NOON).tick() == ["works"]
    assert Clock(lambda: NOON + timedelta(seconds=30)).tick() == []
    end(PeriodicJob.objects.get().workflow_id)
    assert Clock(lambda: NOON + timedelta(seconds=60)).tick() == ["works"]


def test_how_it_went_is_kept(settings: Any) -> None:
    settings.PERIODIC_JOBS["breaks"] = {"run": f"{HERE}.breaks", "at": "03:20"}
    Clock(lambda: NOON).tick()
    run_tick(InlineSteps(), "works")
    with pytest.raises(RuntimeError):
        run_tick(InlineSteps(), "breaks")
    works, breaks = PeriodicJob.objects.get(pk="works"), PeriodicJob.objects.get(pk="breaks")
    assert (works.outcome, works.error) == ("done", "")
    assert works.duration_s is not None
    assert (breaks.outcome, breaks.error) == ("failed", "RuntimeError: no route to [address]")


def test_a_job_that_the_settings_name_no_more_does_nothing(settings: Any) -> None:
    Clock(lambda: NOON).tick()
    settings.PERIODIC_JOBS = {}
    run_tick(InlineSteps(), "works")
    assert PeriodicJob.objects.get().outcome == ""


def test_what_the_product_names_can_be_run(settings: Any) -> None:
    from intmod_site import settings as product

    names = set(product.PERIODIC_JOBS)
    assert {"seal audit log", "watch models", "prune jobs", "prune records"} <= names
    for name, row in product.PERIODIC_JOBS.items():
        assert callable(import_string(str(row["run"])))
        read_timetable(row)
        settings.PERIODIC_JOBS = {name: row}
        if name != "prune jobs":  # That one needs the engine to run.
            Clock(lambda: NOON).tick()
            run_tick(InlineSteps(), name)
            assert PeriodicJob.objects.get(pk=name).outcome == "done"
    for path in site_settings.WORKER_SERVICES.values():
        assert callable(import_string(path))
