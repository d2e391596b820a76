"""What an attempt leaves: its row, and the delivery's next state, in one transaction."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.utils import timezone

from authz.audit.actor import SYSTEM
from authz.policies.enforcement import record_decision
from authz.policies.engine import Decision
from integrations.http.errors import InvalidUrl
from integrations.http.guard import parse_url
from integrations.models import DeliveryAttempt, WebhookDelivery
from integrations.webhooks.delivered import record_delivered
from integrations.webhooks.order import OPEN
from integrations.webhooks.outcome import Outcome, Verdict
from integrations.webhooks.policies import target_of
from integrations.webhooks.schedule import delay_s
from integrations.webhooks.standing import note_failure, note_success

State = WebhookDelivery.State


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """An attempt that was made.

    Args:
        started_at: When.
        latency_ms: How long it took.
        outcome: How it ended.
        decision: What the endpoint's policies said.
    """

    started_at: datetime
    latency_ms: float
    outcome: Outcome
    decision: Decision


def record(delivery: WebhookDelivery, tried: Tried) -> None:
    """Record an attempt, and move the delivery on if the attempt's run is still the present one.

    Args:
        delivery: As it was when the attempt began, with its endpoint.
        tried: The attempt.
    """
    endpoint, outcome = delivery.endpoint, tried.outcome
    now = timezone.now()
    row = _attempt_row(delivery, tried)
    usual = not outcome.is_error and not endpoint.consecutive_failures
    if usual and record_delivered(delivery_id=delivery.pk, run=delivery.run, now=now, row=row):
        return
    with transaction.atomic():
        # The endpoint's row before the delivery's: whoever disables an endpoint goes that way too.
        if not outcome.is_error:
            note_success(endpoint)
        elif outcome.is_receivers:
            note_failure(endpoint, is_gone=outcome.verdict is Verdict.GONE, at=now)
        if not tried.decision.allowed:
            record_decision(
                actor=SYSTEM,
                project=endpoint.project,
                target=target_of(endpoint),
                decision=tried.decision,
            )
        current = (
            WebhookDelivery.objects.select_for_update(no_key=True).filter(pk=delivery.pk).first()
        )
        if current is None:
            return
        current.attempt_count += 1
        current.last_status, current.last_error_code = outcome.status, outcome.error_code
        DeliveryAttempt.objects.create(delivery=current, number=current.attempt_count, **row)
        _move_on(current, outcome, now, is_present=current.run == delivery.run)
        current.save()


def _move_on(
    current: WebhookDelivery, outcome: Outcome, now: datetime, *, is_present: bool
) -> None:
    if not outcome.is_error:
        # Who has it has it, whatever was decided about the delivery meanwhile.
        _end(current, State.SUCCEEDED, now)
    elif not is_present or current.state not in OPEN:
        return
    elif outcome.verdict is Verdict.OURS:
        _end(current, State.FAILED, now)
    else:
        _wait(current, outcome, now)


def _wait(current: WebhookDelivery, outcome: Outcome, now: datetime) -> None:
    current.step += 1
    wait_s = delay_s(current.step, retry_after_s=outcome.retry_after_s)
    if wait_s is None:
        _end(current, State.FAILED if outcome.verdict is Verdict.BROKEN else State.EXHAUSTED, now)
    elif current.state == State.PENDING:
        current.has_slot = False
        current.run += 1
        current.next_attempt_at = now + timedelta(seconds=wait_s)


def _end(current: WebhookDelivery, state: State, now: datetime) -> None:
    current.state, current.ended_at, current.next_attempt_at = state, now, None
    current.has_slot = False


def _attempt_row(delivery: WebhookDelivery, tried: Tried) -> dict[str, Any]:
    outcome = tried.outcome
    return {
        "endpoint_id": delivery.endpoint_id,
        "started_at": tried.started_at,
        "destination": _destination(delivery.endpoint.url),
        "is_error": outcome.is_error,
        "status": outcome.status,
        "latency_ms": tried.latency_ms,
        "error_code": outcome.error_code,
        "error": outcome.error,
        "response_excerpt": outcome.excerpt,
    }


@lru_cache(maxsize=1024)
def _destination(url: str) -> str:
    """Give a URL without its query, where people put tokens."""
    try:
        origin, target = parse_url(url)
    except InvalidUrl:
        return ""
    return f"{origin.scheme}://{origin.authority}{target.partition('?')[0]}"[:300]
