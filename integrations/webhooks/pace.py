"""An endpoint's rate: each delivery takes the next free moment, once.

A token bucket would send all that wait back at the same moment, for one of them to pass. Here
each has its own moment, so a backlog of any length is looked at once and sent once.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import BigIntegerField, F, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from integrations.models import WebhookDelivery, WebhookEndpoint

MINUTE_US = 60_000_000
SECOND_US = 1_000_000
SOON_S = 90
"""Who waits for no longer than this may be under way already: no claim lasts so long."""


def takes_slot(
    delivery: WebhookDelivery, endpoint: WebhookEndpoint, clock: Callable[[], float] = time.time
) -> bool:
    """Whether it may be sent now; if not, it is due again at the moment that it was given."""
    if delivery.has_slot:
        return True
    now_us = round(clock() * SECOND_US)
    gap_us = MINUTE_US // (endpoint.deliveries_per_minute or 1)
    with transaction.atomic():
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
            slot_us=Greatest(F("slot_us"), Value(now_us, output_field=BigIntegerField())) + gap_us
        )
        taken_us = WebhookEndpoint.objects.values_list("slot_us", flat=True).get(pk=endpoint.pk)
        wait_us = taken_us - gap_us - now_us
        if wait_us <= 0:
            return True
        due = datetime.fromtimestamp((now_us + wait_us) / SECOND_US, UTC)
        mine = WebhookDelivery.objects.filter(
            pk=delivery.pk, run=delivery.run, state=WebhookDelivery.State.PENDING
        )
        mine.update(has_slot=True, next_attempt_at=due, run=F("run") + 1)
    return False


def give_slots_back(endpoint: WebhookEndpoint) -> None:
    """Make due now what an endpoint's rate put off, so that it waits for moments of the new rate.

    What is due soon keeps its moment. Call it with the endpoint locked, and save its `slot_us`.
    """
    now = timezone.now()
    soon = now + timedelta(seconds=SOON_S)
    endpoint.slot_us = min(endpoint.slot_us, round(soon.timestamp() * SECOND_US))
    put_off = WebhookDelivery.objects.filter(
        endpoint=endpoint,
        state=WebhookDelivery.State.PENDING,
        has_slot=True,
        next_attempt_at__gt=soon,
    )
    put_off.update(has_slot=False, next_attempt_at=now, run=F("run") + 1)
