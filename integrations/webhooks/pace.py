"""An endpoint's rate: each delivery takes the next free moment, once.

A token bucket would send all that wait back at the same moment, for one of them to pass. Here
each has its own moment, so a backlog of any length is looked at once and sent once.
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from django.db import transaction
from django.db.models import BigIntegerField, F, Value
from django.db.models.functions import Greatest

from integrations.models import WebhookDelivery, WebhookEndpoint

MINUTE_US = 60_000_000
SECOND_US = 1_000_000


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
