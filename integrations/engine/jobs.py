"""Jobs: known by name, run by workers. Floors above register theirs; nothing here imports them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from django.utils.module_loading import import_string

Id: TypeAlias = str | int

ATTEMPTS = 20
"""After so many workers died over a job it is given up: it may be what kills them."""


class Steps(Protocol):
    """What a job does its work by."""

    def run(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        """Do one step, unless it was finished before, and give its result.

        A step is done at least once: a worker that dies in the middle leaves it to the next one.
        Trouble with the database is tried again; any other exception ends the job as failed.

        Args:
            name: Tells the steps of a job apart; the order of steps must not depend on anything
                but the job's ids and earlier results.
            function: What to do; what it returns has to be JSON.

        Raises:
            StepFailed: It failed.
        """


class StepFailed(Exception):
    """A step failed; the message is redacted."""


@dataclass(frozen=True)
class Job:
    """A kind of work.

    Args:
        name: By which it is enqueued.
        path: Dotted path of the function that gets the `Steps` and the ids.
        attempts: Workers that may die over it before it is given up.
    """

    name: str
    path: str
    attempts: int = ATTEMPTS

    @property
    def run(self) -> Callable[..., Any]:
        """The function; imported where jobs are run, not where they are enqueued."""
        return import_string(self.path)


_jobs: dict[str, Job] = {}


def register_job(name: str, path: str, *, attempts: int = ATTEMPTS) -> None:
    """Make a job known: in an app's `ready`, or in an extension's module.

    Raises:
        ValueError: Another one has the name.
    """
    job = Job(name, path, attempts)
    if _jobs.setdefault(name, job) != job:
        raise ValueError(f"There is another job {name!r}: {_jobs[name].path}.")


def registered_job(name: str) -> Job:
    """Give the job of that name.

    Raises:
        ValueError: There is none.
    """
    try:
        return _jobs[name]
    except KeyError:
        raise ValueError(f"There is no job {name!r}.") from None


def registered_jobs() -> list[Job]:
    """Give all jobs."""
    return list(_jobs.values())
