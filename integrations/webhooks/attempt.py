"""Making one attempt at one delivery.

`attempt` may be called by anybody at any time, twice or late: it acts only for the run that the
row names, and what it finds out is recorded with the change of state in one transaction.
"""

import time
from uuid import UUID

from django.utils import timezone

from authz.configuration.snapshot import snapshot_at
from integrations.models import WebhookDelivery, WebhookEndpoint
from integrations.webhooks.loading import load, standing_of
from integrations.webhooks.order import is_first
from integrations.webhooks.outcome import Outcome, of_our_own
from integrations.webhooks.pace import takes_slot
from integrations.webhooks.policies import judged
from integrations.webhooks.recording import Tried, record
from integrations.webhooks.requests import request_once
from intmod_site.database import release_connection

State = WebhookDelivery.State


def attempt(delivery_id: UUID, run: int) -> Outcome | None:
    """Send a delivery's message to its endpoint, if it is its turn, and record how that went.

    Args:
        delivery_id: Which delivery.
        run: For which of its runs; another one than the row names does nothing.

    Returns:
        How it went; None where nothing was sent.
    """
    delivery = load([delivery_id]).get(delivery_id)
    return None if delivery is None else attempt_loaded(delivery, run)


def attempt_loaded(delivery: WebhookDelivery, run: int) -> Outcome | None:
    """Do the same for a delivery that was read a moment ago.

    Args:
        delivery: From `load`; its endpoint is read anew if it was changed since.
        run: As in `attempt`.
    """
    standing = standing_of(delivery)
    if standing is None or (standing.run, standing.state) != (run, State.PENDING):
        return None
    endpoint = delivery.endpoint
    delivery.run, delivery.has_slot = run, standing.has_slot
    if standing.is_changed:
        endpoint.refresh_from_db()
    endpoint.consecutive_failures = standing.consecutive_failures
    if standing.endpoint_state != WebhookEndpoint.State.ACTIVE:
        _hold(delivery)
        return None
    if endpoint.is_ordered and not is_first(delivery):
        # It stays due, and is claimed once the one before has ended.
        return None
    if endpoint.deliveries_per_minute and not takes_slot(delivery, endpoint):
        return None
    return _try(delivery, standing.revision)


def _try(delivery: WebhookDelivery, revision: int) -> Outcome:
    started_at, began_s = timezone.now(), time.monotonic()
    decision = judged(delivery, started_at, snapshot_at(revision))
    if decision.allowed:
        # Waiting for the receiver needs no connection to the database.
        release_connection()
        outcome = request_once(delivery.endpoint, delivery.message, started_at)
    else:
        first = decision.reasons[0]
        outcome = of_our_own("policy_denied", f"The security policy {first.policy} forbids this.")
    latency_ms = (time.monotonic() - began_s) * 1000
    record(
        delivery,
        Tried(started_at=started_at, latency_ms=latency_ms, outcome=outcome, decision=decision),
    )
    return outcome


def _hold(delivery: WebhookDelivery) -> None:
    """Keep for later what a disabled endpoint is not told; an old run holds nothing."""
    WebhookDelivery.objects.filter(pk=delivery.pk, run=delivery.run, state=State.PENDING).update(
        state=State.HELD, next_attempt_at=None
    )
