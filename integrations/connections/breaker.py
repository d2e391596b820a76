"""The circuit breaker that all processes share: one row in the database for each integration.

It counts from the first failure of a window on. A system that is well costs one read a call and no
write; one that fails costs a statement a failure. When too many calls of the window failed it
opens, and after a while lets one call of one process pass, the probe, which closes it or not.
"""

import logging
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet

from authz.audit.actor import SYSTEM
from authz.audit.record import record_event
from authz.ids import new_id
from authz.models import AuditEvent
from integrations.http.breaker import BreakerPolicy, State
from integrations.models import BreakerState, Integration

log = logging.getLogger("intmod.connections")

POLICY = BreakerPolicy()
SECOND_US = 1_000_000


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a call may pass.

    Args:
        refused_for_s: None if it may; else the seconds after which asking again makes sense.
        probe: What names this call as the probe; empty for any other.
        is_counted: Whether a good end has to be told, because failures are being counted.
    """

    refused_for_s: float | None = None
    probe: str = ""
    is_counted: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """How a breaker stands; `retry_after_s` only where calls are refused."""

    state: State
    retry_after_s: float | None = None


CLOSED = Standing(State.CLOSED)


def admit(integration_id: UUID) -> Admission:
    """Ask for a call to pass; who may says how it ended by `ended` or `abandoned`."""
    row = BreakerState.objects.filter(pk=integration_id).first()
    if row is None:
        return Admission()
    now_us = _now_us()
    if not row.opened_us:
        return Admission(is_counted=row.window_us + _us(POLICY.window_s) > now_us)
    standing = standing_of(row, now_us)
    if standing.state is State.OPEN:
        return Admission(refused_for_s=standing.retry_after_s)
    probe = new_id().hex
    # Of all who come at once, in whatever process, the database lets one change this row.
    taken = BreakerState.objects.filter(
        pk=integration_id, opened_us=row.opened_us, probe_us__lte=now_us
    ).update(probe=probe, probe_us=now_us + _us(POLICY.probe_timeout_s))
    return Admission(probe=probe) if taken else Admission(refused_for_s=1.0)


def ended(integration_id: UUID, admission: Admission, *, failed: bool) -> None:
    """Say how a call ended that was let pass; a failure is the other side's fault."""
    if admission.probe:
        _end_probe(integration_id, admission.probe, failed=failed)
    elif failed:
        _count_failure(integration_id)
    elif admission.is_counted:
        _count_success(integration_id)


def abandoned(integration_id: UUID, admission: Admission) -> None:
    """Say that a call ended without telling anything; another probe may begin."""
    if admission.probe:
        _of_probe(integration_id, admission.probe).update(probe="", probe_us=0)


def standing_of(row: BreakerState | None, now_us: int | None = None) -> Standing:
    """Say how a breaker stands, by its row."""
    if row is None or not row.opened_us:
        return CLOSED
    waits_us = row.opened_us + _us(POLICY.open_s) - (now_us or _now_us())
    if waits_us > 0:
        return Standing(State.OPEN, max(waits_us / SECOND_US, 0.001))
    return Standing(State.HALF_OPEN)


def reset(integration_id: UUID) -> None:
    """Close the breaker, whatever it saw: after the integration was changed."""
    BreakerState.objects.filter(pk=integration_id).delete()


def _end_probe(integration_id: UUID, probe: str, *, failed: bool) -> None:
    of_probe = _of_probe(integration_id, probe)
    if failed:
        of_probe.update(opened_us=_now_us(), probe="", probe_us=0)
        return
    with transaction.atomic():
        if of_probe.delete()[0]:
            _tell(integration_id, "closed")


def _of_probe(integration_id: UUID, probe: str) -> QuerySet[BreakerState]:
    return BreakerState.objects.filter(pk=integration_id, probe=probe)


def _count_failure(integration_id: UUID) -> None:
    now_us = _now_us()
    before_us = now_us - _us(POLICY.window_s)
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(_COUNT, [_key(integration_id), now_us, before_us, before_us, before_us])
            row = cursor.fetchone()
    except IntegrityError:  # the integration was removed while it was called
        return
    if row is None:
        return
    calls, failures = row
    if calls < POLICY.min_calls or failures < POLICY.failure_rate * calls:
        return
    with transaction.atomic():
        opened = BreakerState.objects.filter(pk=integration_id, opened_us=0).update(
            opened_us=now_us, probe="", probe_us=0
        )
        if opened:
            _tell(integration_id, "opened", calls=calls, failures=failures)


def _count_success(integration_id: UUID) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE integrations_breakerstate SET calls = calls + 1 "
            "WHERE integration_id = %s AND opened_us = 0 AND window_us > %s",
            [_key(integration_id), _now_us() - _us(POLICY.window_s)],
        )


def _tell(integration_id: UUID, what: str, **counts: int) -> None:
    integration = Integration.objects.select_related("project").get(pk=integration_id)
    log.warning("breaker %s", what, extra={"fields": {"integration": integration.name, **counts}})
    record_event(
        actor=SYSTEM,
        action=f"integration.breaker_{what}",
        outcome=AuditEvent.Outcome.SUCCESS,
        project=integration.project,
        object_type="integration",
        object_id=str(integration_id),
        object_label=integration.name,
        changes=counts,
    )


def _key(integration_id: UUID) -> Any:
    """Give the id as the database's own driver takes it."""
    return BreakerState._meta.pk.get_db_prep_value(integration_id, connection)


def _now_us() -> int:
    return round(time.time() * SECOND_US)


def _us(seconds: float) -> int:
    return round(seconds * SECOND_US)


# A row of a window that is over begins a new one; one that is open is left alone.
_COUNT = """
INSERT INTO integrations_breakerstate AS b
    (integration_id, window_us, calls, failures, opened_us, probe_us, probe)
VALUES (%s, %s, 1, 1, 0, 0, '')
ON CONFLICT (integration_id) DO UPDATE SET
    window_us = CASE WHEN b.window_us > %s THEN b.window_us ELSE excluded.window_us END,
    calls = CASE WHEN b.window_us > %s THEN b.calls + 1 ELSE 1 END,
    failures = CASE WHEN b.window_us > %s THEN b.failures + 1 ELSE 1 END
WHERE b.opened_us = 0
RETURNING calls, failures
"""
