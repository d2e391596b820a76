"""Running jobs: their steps, their database connections, and what is under way."""

import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, OperationalError, close_old_connections

from integrations.engine import dbos_adapter
from integrations.engine.errors import error_text
from integrations.engine.jobs import Id, Job, StepFailed
from intmod_site.database import release_connection


class UnderWay:
    """The jobs that this process runs at the moment, for whoever asks."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[str, dict[str, Any]] = {}

    def begin(self, workflow_id: str, job: str) -> None:
        """Note a job that begins."""
        with self._lock:
            self._jobs[workflow_id] = {
                "workflow_id": workflow_id, "job": job, "step": "", "since": time.time(),
            }  # fmt: skip

    def step(self, workflow_id: str, step: str) -> None:
        """Note the step that it is at."""
        with self._lock:
            if workflow_id in self._jobs:
                self._jobs[workflow_id]["step"] = step

    def end(self, workflow_id: str) -> None:
        """Forget it."""
        with self._lock:
            self._jobs.pop(workflow_id, None)

    def all(self) -> list[dict[str, Any]]:
        """Give each: its workflow_id, job, step and since when it runs here (seconds)."""
        with self._lock:
            return [dict(one) for one in self._jobs.values()]


class DurableSteps:
    """`Steps` whose results the engine keeps."""

    def __init__(self, workflow_id: str, under_way: UnderWay) -> None:
        self._workflow_id = workflow_id
        self._under_way = under_way

    def run(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        """See `Steps`."""
        self._under_way.step(self._workflow_id, name)
        return dbos_adapter.run_step(name, lambda: _done(function, args), is_passing=_is_passing)


class InlineSteps:
    """`Steps` that are simply done, for jobs that are run without the engine, as in tests."""

    def run(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        """See `Steps`."""
        return function(*args)


def work_of(job: Job, under_way: UnderWay) -> Callable[..., Any]:
    """Give what the engine runs for a job."""

    def work(*ids: Id) -> Any:
        workflow_id = dbos_adapter.current_workflow_id() or ""
        under_way.begin(workflow_id, job.name)
        try:
            return job.run(DurableSteps(workflow_id, under_way), *ids)
        finally:
            under_way.end(workflow_id)

    work.__name__ = work.__qualname__ = job.name
    return work


def _done(function: Callable[..., Any], args: tuple[Any, ...]) -> Any:
    """Do a step with a connection that lives, and leave none behind in the engine's thread."""
    close_old_connections()
    try:
        return function(*args)
    except Exception as error:
        if _is_passing(error):
            raise
        # What is kept of it is shown to people.
        raise StepFailed(error_text(error)) from error
    finally:
        close_old_connections()
        release_connection()


def _is_passing(error: BaseException) -> bool:
    return isinstance(error, OperationalError | InterfaceError)
