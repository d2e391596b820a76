"""Changing the audit log as somebody would who has the database, but not AUDIT_KEY."""

from collections.abc import Callable
from typing import Any

from django.db import connection

from authz.audit import triggers
from authz.audit.record import record_event
from authz.audit.verify import Report, verify
from authz.models import AuditEvent, AuditSeal
from tests.factories.authz import ACTOR

EVENT, SEAL = "authz_auditevent", "authz_auditseal"


def record(count: int = 5) -> None:
    """Record some events."""
    for number in range(count):
        record_event(
            actor=ACTOR, action="test.done", outcome=AuditEvent.Outcome.SUCCESS, project=None,
            changes={"number": number, "ratio": 1.5, "nested": {"a": [None, True, 1e16]}},
        )  # fmt: skip


def sql(statement: str, *parameters: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters or None)


def unguarded(statement: str, *parameters: Any) -> None:
    """Run SQL with the triggers out of the way, as whoever owns the tables can."""
    triggers.remove(connection)
    sql(statement, *parameters)
    triggers.install(connection)


def event_at(seq: int) -> int:
    return int(AuditSeal.objects.values_list("event_id", flat=True).get(pk=seq))


def found(**how: Any) -> list[tuple[int | None, str]]:
    """Verify, and give where and what."""
    return [(problem.seq, problem.kind) for problem in verify(**how).problems]


def intact(**how: Any) -> Report:
    report = verify(**how)
    assert report.is_intact, report.problems
    return report


Tamper = Callable[[], None]
