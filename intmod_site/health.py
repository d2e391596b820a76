"""Probes: is the process alive, and can it do its work?"""

from collections.abc import Callable

from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe

_migrated = False
"""Set once: a process that saw its migrations applied need not read them at every probe."""


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """Answer as long as the process can answer at all."""
    return JsonResponse({"status": "ok"})


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001
    """Answer 200 when requests can be served, else 503 with what is missing."""
    checks = {name: _run(check) for name, check in CHECKS.items()}
    ready = all(result == "ok" for result in checks.values())
    return JsonResponse(
        {"status": "ok" if ready else "unavailable", "checks": checks}, status=200 if ready else 503
    )


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "ok"


def _migrations() -> str:
    global _migrated  # noqa: PLW0603
    if not _migrated:
        executor = MigrationExecutor(connection)
        pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
        if pending:
            return f"{len(pending)} migrations are not applied; run manage.py migrate"
        _migrated = True
    return "ok"


def _run(check: Callable[[], str]) -> str:
    try:
        return check()
    except DatabaseError:
        # The driver's message may carry host and user: it belongs into the log, not here.
        return "the database does not answer"


CHECKS: dict[str, Callable[[], str]] = {"database": _database, "migrations": _migrations}
