"""Claiming deliveries that are due, for one worker among many.

A claim moves the delivery's next moment behind the time that the attempt can take, and its run on.
A worker that dies leaves nothing to clean up: its deliveries are due again, under another run.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

from integrations.models import WebhookDelivery, WebhookEndpoint
from integrations.webhooks.order import first_in_line

State = WebhookDelivery.State
MARGIN_S = 5.0
"""What a claim lasts beyond the longest that its attempts take: writing, and clocks that differ."""

Claim = tuple[UUID, int]
"""A delivery and the run that was claimed."""


@dataclass(frozen=True, slots=True)
class Ready:
    """An endpoint with deliveries that are due.

    Args:
        endpoint_id: Which.
        is_ordered: Whether only its first may be claimed.
        is_suspect: Whether its latest attempt failed.
        timeout_s: How long one attempt may take.
    """

    endpoint_id: UUID
    is_ordered: bool
    is_suspect: bool
    timeout_s: float


def ready_endpoints() -> list[Ready]:
    """Give the endpoints that have something due."""
    now = timezone.now()
    due = WebhookDelivery.objects.filter(state=State.PENDING, next_attempt_at__lte=now)
    if not due.exists():
        return []
    rows = WebhookEndpoint.objects.filter(
        Exists(due.filter(endpoint=OuterRef("pk"))), state=WebhookEndpoint.State.ACTIVE
    )
    columns = rows.order_by().values_list("pk", "is_ordered", "consecutive_failures", "timeout_s")
    return [
        Ready(pk, is_ordered, bool(failures), timeout_s)
        for pk, is_ordered, failures, timeout_s in columns
    ]


def claim(ready: Ready, *, limit: int, busy_s: float) -> list[Claim]:
    """Claim deliveries of an endpoint that are due, oldest first; others get none of them.

    Args:
        ready: Of which endpoint.
        limit: At most so many.
        busy_s: How long the claimer may take before it begins the last of them.
    """
    now = timezone.now()
    until = now + timedelta(seconds=ready.timeout_s + busy_s + MARGIN_S)
    if ready.is_ordered:
        return _claim_first(ready, now, until)
    with transaction.atomic():
        rows = list(
            WebhookDelivery.objects.select_for_update(skip_locked=True, no_key=True)
            .filter(endpoint=ready.endpoint_id, state=State.PENDING, next_attempt_at__lte=now)
            .order_by("next_attempt_at")
            .values_list("pk", "run")[:limit]
        )
        claimed = WebhookDelivery.objects.filter(pk__in=[pk for pk, _ in rows])
        claimed.update(next_attempt_at=until, run=F("run") + 1)
    return [(pk, run + 1) for pk, run in rows]


def give_back(claims: Iterable[Claim]) -> None:
    """Make due again what was claimed and not begun."""
    now = timezone.now()
    for pk, run in claims:
        WebhookDelivery.objects.filter(pk=pk, run=run, state=State.PENDING).update(
            next_attempt_at=now, run=F("run") + 1
        )


def _claim_first(ready: Ready, now: datetime, until: datetime) -> list[Claim]:
    first = first_in_line(ready.endpoint_id)
    if first is None or first.next_attempt_at is None or first.next_attempt_at > now:
        return []
    mine = WebhookDelivery.objects.filter(pk=first.pk, run=first.run, state=State.PENDING)
    taken = mine.update(next_attempt_at=until, run=F("run") + 1)
    return [(first.pk, first.run + 1)] if taken else []
