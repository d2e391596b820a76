"""What we rely on in the engine, and what its documentation does not promise.

Its version is pinned: this is what to look at when the pin moves.
"""

import importlib.metadata
import json
from collections.abc import Iterator
from typing import Any

import pytest
from dbos import DBOSClient, WorkflowSerializationFormat
from django.db import connection

from integrations.engine import dbos_adapter
from integrations.engine.connections import open_engine
from integrations.engine.enqueue import enqueue
from integrations.engine.queues import QUEUES
from integrations.engine.schema import SCHEMA_VERSION, check_tables, create_tables
from integrations.engine.states import states
from integrations.engine.tables import APPLICATION, SCHEMA, VERSION, rows, table

pytestmark = pytest.mark.django_db(transaction=True)

VARIES = {"workflow_uuid", "created_at", "updated_at", "creator_xid", "delay_until_epoch_ms"}


@pytest.fixture(autouse=True)
def no_jobs(transactional_db: None) -> None:
    with connection.cursor() as cursor:
        for name in ("workflow_input", "workflow_output", "operation_outputs", "workflow_status"):
            cursor.execute(f"DELETE FROM {table(name)}")


@pytest.fixture
def client() -> Iterator[DBOSClient]:
    engine = open_engine(size=2)
    client = DBOSClient(
        system_database_engine=engine, dbos_system_schema=SCHEMA, application_name=APPLICATION
    )
    yield client
    client.destroy()
    engine.dispose()


@pytest.fixture
def running() -> Iterator[None]:
    """The engine, which runs nothing: it serves a queue into which nothing is put."""
    engine = dbos_adapter.launch(
        executor_id="alive", concurrency=1, queues={"suites": QUEUES["suites"]},
        works={"engine.periodic": dbos_adapter.Work(lambda name: None, 3)},
    )  # fmt: skip
    yield
    engine.stop(within_s=0)


def columns(workflow_id: str) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT * FROM {table('workflow_status')} WHERE workflow_uuid = %s", [workflow_id]
        )
        names = [column[0] for column in cursor.description]
        found = dict(zip(names, cursor.fetchone(), strict=True))
        cursor.execute(
            f"SELECT inputs FROM {table('workflow_input')} WHERE workflow_uuid = %s", [workflow_id]
        )
        found["kept inputs"] = json.loads(cursor.fetchone()[0])
    # JSON's null there, none of it here; its own SQL function does as we do.
    found["attributes"] = found["attributes"] if found["attributes"] != "null" else None
    assert all(found[name] is not None for name in ("created_at", "updated_at", "creator_xid"))
    return {name: value for name, value in found.items() if name not in VARIES}


@pytest.mark.parametrize("delay_s", [None, 60.0])
@pytest.mark.parametrize("partition", [None, "endpoint"])
def test_what_we_enqueue_is_what_the_engine_would(
    client: DBOSClient, delay_s: float | None, partition: str | None
) -> None:
    queue = "flows" if partition is None else "hooks"
    options: Any = {
        "workflow_name": "engine.periodic", "queue_name": queue, "workflow_id": "theirs",
        "serialization_type": WorkflowSerializationFormat.PORTABLE,
    }  # fmt: skip
    if delay_s:
        options["delay_seconds"] = delay_s
    if partition:
        options["queue_partition_key"] = partition
    client.enqueue(options, "naïve", 7)
    enqueue(
        "engine.periodic", "naïve", 7, workflow_id="ours", queue=queue, delay_s=delay_s,
        partition=partition,
    )  # fmt: skip
    assert columns("ours") == columns("theirs")


def test_the_pin_and_the_tables_belong_together() -> None:
    assert importlib.metadata.version("dbos") == "3.4.0"
    assert rows("SELECT version FROM {dbos_migrations}") == [(SCHEMA_VERSION,)]
    create_tables()
    assert check_tables() == "ok"


def begun(workflow_id: str, executor_id: str, attempts: int = 1) -> None:
    enqueue("engine.periodic", "x", workflow_id=workflow_id, queue="flows")
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table('workflow_status')} SET status = 'PENDING', executor_id = %s,"
            " application_version = %s, recovery_attempts = %s WHERE workflow_uuid = %s",
            [executor_id, VERSION, attempts, workflow_id],
        )


def test_taking_over_concerns_the_dead_only_and_keeps_count(running: None) -> None:
    begun("of the dead", "dead", attempts=2)
    begun("of the living", "alive")
    assert dbos_adapter.take_over(["dead"]) == 1
    assert states(["of the dead", "of the living"]) == {
        "of the dead": "ENQUEUED", "of the living": "PENDING",
    }  # fmt: skip
    kept = rows(
        "SELECT queue_name, recovery_attempts FROM {workflow_status}"
        " WHERE workflow_uuid = 'of the dead'"
    )
    assert kept == [("flows", 2)]
    assert dbos_adapter.take_over(["dead"]) == 0


def test_what_ended_is_deleted_with_its_steps(running: None, settings: Any) -> None:
    from integrations.engine.retention import prune

    for workflow_id, status in (("old", "SUCCESS"), ("failed", "ERROR"), ("waits", "ENQUEUED")):
        enqueue("engine.periodic", "x", workflow_id=workflow_id, queue="flows")
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {table('workflow_status')} SET status = %s, updated_at = 1000"
                " WHERE workflow_uuid = %s",
                [status, workflow_id],
            )
    enqueue("engine.periodic", "x", workflow_id="young", queue="flows")
    assert prune() == 2
    assert set(states(["old", "failed", "waits", "young"])) == {"waits", "young"}
    assert rows("SELECT count(*) FROM {workflow_input}") == [(2,)]


def test_a_queue_is_the_processes_own(running: None) -> None:
    assert rows("SELECT count(*) FROM {queues}") == [(0,)]
