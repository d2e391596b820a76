"""Workers' leases: who is alive, and whose work is taken over by whom."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from integrations.engine.enqueue import enqueue
from integrations.engine.leases import beat, begin_lease, end_lease, sweep
from integrations.engine.tables import table
from integrations.models import Worker

pytestmark = pytest.mark.django_db


@pytest.fixture
def lease(settings: Any) -> Worker:
    settings.WORKER_LEASE_S = 3
    return begin_lease(queues=["flows"], concurrency=2)


def works_at(workflow_id: str, executor_id: str) -> None:
    enqueue("engine.periodic", "x", workflow_id=workflow_id, queue="flows")
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table('workflow_status')} SET status = 'PENDING', executor_id = %s"
            " WHERE workflow_uuid = %s",
            [executor_id, workflow_id],
        )


def swept() -> list[str]:
    taken: list[str] = []

    def take_over(executor_ids: list[str]) -> int:
        taken.extend(executor_ids)
        return len(executor_ids)

    assert sweep(take_over) == len(taken)
    return taken


def silent(executor_id: str, for_s: float) -> None:
    Worker.objects.filter(pk=executor_id).update(seen_at=timezone.now() - timedelta(seconds=for_s))


def test_a_lease_is_kept_by_beating_and_over_without(lease: Worker) -> None:
    works_at("w", lease.pk)
    silent(lease.pk, 2)
    assert swept() == []
    silent(lease.pk, 4)
    beat(lease.pk, [{"job": "x"}])
    assert swept() == []
    lease.refresh_from_db()
    assert lease.is_alive
    assert lease.doing == [{"job": "x"}]
    silent(lease.pk, 4)
    lease.refresh_from_db()
    assert not lease.is_alive
    assert list(Worker.objects.alive()) == []
    assert swept() == [lease.pk]


def test_one_sweeper_wins_and_one_that_died_over_it_is_followed(lease: Worker) -> None:
    works_at("w", lease.pk)
    silent(lease.pk, 4)
    assert swept() == [lease.pk]
    assert swept() == [], "somebody is at it"
    Worker.objects.update(swept_at=timezone.now() - timedelta(seconds=4))
    assert swept() == [lease.pk]


def test_what_is_given_up_is_taken_over_at_once(lease: Worker) -> None:
    works_at("w", lease.pk)
    end_lease(lease.pk)
    assert swept() == [lease.pk]


def test_the_dead_without_work_are_left_alone(lease: Worker) -> None:
    silent(lease.pk, 4)
    assert swept() == []


def test_work_of_a_worker_that_is_not_known_any_more_is_taken_over() -> None:
    works_at("w", "long-gone")
    assert swept() == ["long-gone"]
