"""Registering, changing and removing webhook endpoints."""

from collections.abc import Collection
from typing import Any

from django.db import transaction

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from authz.models import Project
from authz.policies.services import detach_all
from integrations.connections.headers import check_headers
from integrations.http.errors import InvalidUrl
from integrations.http.guard import parse_url
from integrations.models import WebhookDelivery, WebhookEndpoint
from integrations.webhooks import names
from integrations.webhooks.pace import give_slots_back
from integrations.webhooks.signing import key_of, new_secret
from intmod_site.api.errors import NotFound, PermissionDenied, ValidationFailed

OUR_HEADERS = frozenset({"content-type", "user-agent", "x-request-id"})
SEES_AUDIT = "authz.view_auditevent"

Held = Collection[str] | None
"""Permissions of whoever acts; None for all."""


def register_endpoint(
    *, actor: Actor, project: Project, held: Held = None, secret: str | None = None, **fields: Any
) -> WebhookEndpoint:
    """Register a URL that is told of events; its secret is made here unless it is given.

    Args:
        actor: Who.
        project: Where.
        held: What they may do: the audit log is told only by those who may see it.
        secret: `whsec_` and base64 of 24 to 64 bytes.
        fields: Columns of `WebhookEndpoint`.

    Raises:
        ValidationFailed, django.core.exceptions.ValidationError: A field is wrong.
        PermissionDenied: It asks for the audit log, which they may not see.
    """
    endpoint = WebhookEndpoint(project=project, **fields)
    endpoint.secret = checked_secret(secret or new_secret())
    _check(endpoint)
    _check_audit(endpoint.event_types, held)
    with transaction.atomic():
        endpoint.save(force_insert=True)
        record_change(
            actor=actor,
            action="webhookendpoint.create",
            obj=endpoint,
            project=project,
            after=state_of(endpoint),
        )
    return endpoint


def update_endpoint(
    *, actor: Actor, endpoint: WebhookEndpoint, changes: dict[str, Any], held: Held = None
) -> WebhookEndpoint:
    """Change an endpoint; attempts that begin afterwards use it as it is then.

    Raises:
        ValidationFailed, PermissionDenied, django.core.exceptions.ValidationError: As in
            `register_endpoint`.
    """
    with transaction.atomic():
        current = locked(endpoint)
        before, rate = state_of(current), current.deliveries_per_minute
        for name, value in changes.items():
            setattr(current, name, value)
        _check(current)
        if "event_types" in changes or "url" in changes:
            _check_audit(current.event_types, held)
        if current.deliveries_per_minute != rate:
            give_slots_back(current)
        current.save(update_fields=[*changes, "slot_us", "updated_at"])
        record_change(
            actor=actor,
            action="webhookendpoint.update",
            obj=current,
            project=current.project,
            before=before,
            after=state_of(current),
        )
    return current


def remove_endpoint(*, actor: Actor, endpoint: WebhookEndpoint) -> None:
    """Remove an endpoint with its deliveries and their attempts."""
    with transaction.atomic():
        current = locked(endpoint)
        label = WebhookEndpoint(pk=current.pk, url=current.url, description=current.description)
        detach_all(actor=actor, kind="webhook_endpoint", target_ids=[current.pk])
        before, project = state_of(current), current.project
        WebhookDelivery.objects.filter(endpoint=current).delete()
        current.delete()
        record_change(
            actor=actor,
            action="webhookendpoint.delete",
            obj=label,
            project=project,
            before=before,
        )


def locked(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    """Give the endpoint as it is now, locked until the transaction ends.

    Raises:
        NotFound: It was removed meanwhile.
    """
    rows = WebhookEndpoint.objects.select_for_update(of=("self",), no_key=True)
    current: WebhookEndpoint | None = rows.select_related("project").filter(pk=endpoint.pk).first()
    if current is None:
        raise NotFound("There is no such endpoint any more.")
    return current


def checked_secret(secret: str) -> str:
    """Give a secret that signs.

    Raises:
        ValidationFailed: It is none.
    """
    try:
        key_of(secret)
    except ValueError as error:
        raise ValidationFailed.of("secret", str(error)) from None
    return secret


def _check(endpoint: WebhookEndpoint) -> None:
    try:
        parse_url(endpoint.url)
    except InvalidUrl as error:
        raise ValidationFailed.of("url", str(error)) from None
    names.check_patterns(endpoint.event_types)
    check_headers(endpoint.headers)
    for name in endpoint.headers:
        if name.lower() in OUR_HEADERS or name.lower().startswith("webhook-"):
            raise ValidationFailed.of("headers", f"{name} cannot be set.")
    endpoint.full_clean(exclude=["project"])


def _check_audit(event_types: list[str], held: Held) -> None:
    """Let the audit log leave the house only by the hand of those who may read it."""
    if held is not None and SEES_AUDIT not in held and names.asks_for_audit(event_types):
        raise PermissionDenied(f"Events of the audit log need the permission {SEES_AUDIT}.")
