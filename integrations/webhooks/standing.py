"""Whether an endpoint is told: disabling it, by hand or for its failures, and enabling it again."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from authz.audit.actor import SYSTEM, Actor
from authz.audit.record import record_change, state_of
from integrations.models import WebhookDelivery, WebhookEndpoint
from integrations.webhooks.endpoints import locked
from integrations.webhooks.services import publish
from intmod_site.api.errors import Conflict

State = WebhookEndpoint.State
Reason = WebhookEndpoint.Reason
DISABLED = "webhook.endpoint.disabled"
HEALTHY: dict[str, Any] = {"failing_since": None, "consecutive_failures": 0}


def disable_endpoint(*, actor: Actor, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Tell the endpoint nothing more; what is meant for it is held.

    Raises:
        Conflict: It is disabled already.
    """
    with transaction.atomic():
        current = locked(endpoint)
        if current.state == State.DISABLED:
            raise Conflict("The endpoint is disabled already.", code="already_disabled")
        _disable(actor, current, Reason.MANUAL, timezone.now())
    return current


def enable_endpoint(*, actor: Actor, endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Tell the endpoint again, beginning with what was held.

    Raises:
        Conflict: It is enabled already.
    """
    with transaction.atomic():
        current = locked(endpoint)
        if current.state == State.ACTIVE:
            raise Conflict("The endpoint is enabled already.", code="already_enabled")
        before = state_of(current)
        current.state, current.disabled_reason, current.disabled_at = State.ACTIVE, "", None
        current.failing_since, current.consecutive_failures = None, 0
        current.save()
        record_change(
            actor=actor,
            action="webhookendpoint.enable",
            obj=current,
            project=current.project,
            before=before,
            after=state_of(current),
        )
    return current


def note_success(endpoint: WebhookEndpoint) -> None:
    """Forget the failures before; writes nothing where there were none."""
    if endpoint.consecutive_failures:
        WebhookEndpoint.objects.filter(pk=endpoint.pk).update(**HEALTHY)


def note_failure(endpoint: WebhookEndpoint, *, is_gone: bool, at: datetime) -> bool:
    """Count a failure of the receiver, and disable the endpoint where it was one too many.

    Call it in the transaction that records the attempt, before the delivery's row is locked.

    Returns:
        Whether the endpoint is disabled now.
    """
    counted = WebhookEndpoint.objects.filter(pk=endpoint.pk).update(
        consecutive_failures=F("consecutive_failures") + 1,
        failing_since=Coalesce("failing_since", at),
    )
    if not counted:  # it was removed meanwhile
        return True
    current = locked(endpoint)
    if current.state == State.DISABLED:
        return True
    reason = _reason(current, is_gone=is_gone, at=at)
    if reason is not None:
        _disable(SYSTEM, current, reason, at)
    return reason is not None


def _reason(endpoint: WebhookEndpoint, *, is_gone: bool, at: datetime) -> Reason | None:
    if is_gone:
        return Reason.GONE
    days, since = endpoint.disable_after_days, endpoint.failing_since
    if days is not None and since is not None and at - since >= timedelta(days=days):
        return Reason.FAILING_DAYS
    most = endpoint.disable_after_failures
    if most is not None and endpoint.consecutive_failures >= most:
        return Reason.FAILING_ATTEMPTS
    return None


def _disable(actor: Actor, endpoint: WebhookEndpoint, reason: Reason, now: datetime) -> None:
    before = state_of(endpoint)
    endpoint.state, endpoint.disabled_reason, endpoint.disabled_at = State.DISABLED, reason, now
    endpoint.save(update_fields=["state", "disabled_reason", "disabled_at", "updated_at"])
    WebhookDelivery.objects.filter(endpoint=endpoint, state=WebhookDelivery.State.PENDING).update(
        state=WebhookDelivery.State.HELD, next_attempt_at=None, has_slot=False
    )
    record_change(
        actor=actor,
        action="webhookendpoint.disable",
        obj=endpoint,
        project=endpoint.project,
        before=before,
        after=state_of(endpoint),
    )
    publish(
        DISABLED,
        {
            "endpoint_id": str(endpoint.pk),
            "url": endpoint.url.partition("?")[0],
            "reason": reason.value,
            "consecutive_failures": endpoint.consecutive_failures,
            "failing_since": endpoint.failing_since and endpoint.failing_since.isoformat(),
        },
        project=endpoint.project,
        actor=actor,
        besides=endpoint,
    )
