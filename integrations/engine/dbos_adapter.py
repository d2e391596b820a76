"""What we ask of DBOS Transact: every name of its that we use stands in this file.

Two of them are private: taking over what another executor left, which its public counterpart does
without counting attempts, so that a job that kills workers would kill them for ever; and queues
that are a process's own, so that each worker has its own concurrency and asks one question a poll
instead of two. The version is pinned, and tests hold both.
https://docs.dbos.dev/python/reference/contexts
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import sqlalchemy
from dbos import DBOS, DBOSConfig, WorkflowSerializationFormat
from dbos._serialization import DBOSPortableJSON
from dbos._sys_db import SystemDatabase

from integrations.engine.connections import open_engine
from integrations.engine.queues import Queue
from integrations.engine.tables import APPLICATION, SCHEMA, VERSION


class Work(NamedTuple):
    """What to run under a job's name, and how many executors may die over it."""

    run: Callable[..., Any]
    attempts: int


class Launched:
    """The engine of this process, while it runs."""

    def __init__(self, engine: sqlalchemy.Engine) -> None:
        self._engine = engine

    def stop(self, *, within_s: int) -> None:
        """Begin nothing more, and wait so long for what is under way."""
        DBOS.destroy(workflow_completion_timeout_sec=within_s)
        self._engine.dispose()


def launch(
    *, executor_id: str, concurrency: int, queues: Mapping[str, Queue], works: Mapping[str, Work]
) -> Launched:
    """Begin to run what is enqueued; there is one engine in a process.

    Args:
        executor_id: Whose the work is that begins.
        concurrency: Jobs of each queue that run at once.
        queues: Those that this process serves.
        works: What to run, by the jobs' names.
    """
    _log_as_we_do()
    threads = concurrency * len(queues) + 2
    engine = open_engine(size=min(threads, 8) + 4)
    config: DBOSConfig = {
        "name": APPLICATION,
        "system_database_engine": engine,
        "dbos_system_schema": SCHEMA,
        "executor_id": executor_id,
        "application_version": VERSION,
        "max_executor_threads": threads,
        "run_migrations": False,
        "use_listen_notify": False,
        "serializer": DBOSPortableJSON,
        "log_level": "WARNING",
    }
    instance = DBOS(config=config)
    for name, queue in queues.items():
        instance._registry._register_internal_queue(
            name, worker_concurrency=concurrency, polling_interval_sec=queue.poll_s,
            partition_concurrency=queue.per_partition,
        )  # fmt: skip
    for name, work in works.items():
        DBOS.workflow(
            name=name, max_recovery_attempts=work.attempts,
            serialization_type=WorkflowSerializationFormat.PORTABLE,
        )(work.run)  # fmt: skip
    DBOS.listen_queues([])
    DBOS.launch()
    return Launched(engine)


def run_step(
    name: str,
    function: Callable[[], Any],
    *,
    is_passing: Callable[[BaseException], bool],
    tries: int = 8,
) -> Any:
    """Run a step of the job that this thread runs; its result is kept.

    Args:
        is_passing: Whether it is worth trying again after an exception.
        tries: How often in all; half a second after the first, then twice as long each time.
    """
    return DBOS.run_step(
        {
            "name": name, "retries_allowed": True, "max_attempts": tries,
            "interval_seconds": 0.5, "backoff_rate": 2.0, "should_retry": is_passing,
        },
        function,
    )  # fmt: skip


def current_workflow_id() -> str | None:
    """Give the id of the job that this thread runs."""
    return DBOS.workflow_id


def take_over(executor_ids: Iterable[str]) -> int:
    """Enqueue again what those had begun and will not finish; gives how many jobs."""
    return len(DBOS._recover_pending_workflows(list(executor_ids)))


def delete(workflow_ids: Iterable[str]) -> None:
    """Remove ended jobs with their steps."""
    DBOS.delete_workflows(list(workflow_ids))


def create_tables() -> None:
    """Make the engine's tables, or bring them up to date; done twice it does nothing."""
    _log_as_we_do()
    engine = open_engine(size=4)
    try:
        SystemDatabase.create(
            system_database_url=f"{engine.url.get_backend_name()}://unused",
            engine_kwargs={}, engine=engine, schema=SCHEMA, serializer=DBOSPortableJSON,
            executor_id=None, use_listen_notify=False,
        ).run_migrations()  # fmt: skip
    finally:
        engine.dispose()


def _log_as_we_do() -> None:
    """Let its records go where ours go; without a handler it would make one of its own."""
    logger = logging.getLogger("dbos")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())
    logger.propagate = True
