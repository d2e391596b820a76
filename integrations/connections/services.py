"""Registering, changing and removing integrations."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from authz.configuration.revision import move_revision
from authz.models import Project
from authz.policies.services import detach_all
from integrations.connections.headers import check_headers
from integrations.http.errors import InvalidUrl
from integrations.http.guard import parse_url
from integrations.models import Integration
from intmod_site.api.errors import Conflict, ValidationFailed
from intmod_site.conflicts import atomic_unless_taken


def register_integration(*, actor: Actor, project: Project, **fields: Any) -> Integration:
    """Register an external system under a name of its own in the project.

    Args:
        actor: Who registers it.
        project: Where it belongs.
        fields: Columns of `Integration`; `api_key` as plaintext.

    Raises:
        Conflict: The name is taken.
        ValidationFailed: The URL cannot be called, or a header cannot be set.
        django.core.exceptions.ValidationError: Another field is wrong.
    """
    integration = Integration(project=project, **fields)
    _check(integration)
    with atomic_unless_taken(_taken(integration)):
        integration.save(force_insert=True)
        move_revision()
        record_change(
            actor=actor,
            action="integration.create",
            obj=integration,
            project=project,
            after=state_of(integration),
        )
    return integration


def update_integration(
    *, actor: Actor, integration: Integration, changes: dict[str, Any]
) -> Integration:
    """Change an integration; calls that begin afterwards use it as it is then.

    Raises:
        Conflict, ValidationFailed, django.core.exceptions.ValidationError: As in
            `register_integration`.
    """
    with atomic_unless_taken(_taken(integration, changes)):
        current = Integration.objects.select_for_update(no_key=True).get(pk=integration.pk)
        before = state_of(current)
        changes = _without_mask(current, changes)
        _check_key_stays_home(current, changes)
        for name, value in changes.items():
            setattr(current, name, value)
        _check(current)
        current.save()
        move_revision()
        record_change(
            actor=actor,
            action="integration.update",
            obj=current,
            project=current.project,
            before=before,
            after=state_of(current),
        )
    return current


def remove_integration(*, actor: Actor, integration: Integration) -> None:
    """Remove an integration that nothing refers to.

    Raises:
        Conflict: Something refers to it; deactivate it instead.
    """
    label = Integration(pk=integration.pk, name=integration.name)
    try:
        with transaction.atomic():
            current = Integration.objects.select_for_update(of=("self",)).get(pk=integration.pk)
            before, project = state_of(current), current.project
            detach_all(actor=actor, kind="integration", target_ids=[current.pk])
            current.delete()
            move_revision()
            record_change(
                actor=actor, action="integration.delete", obj=label, project=project, before=before
            )
    except (ProtectedError, IntegrityError):
        raise Conflict(
            f"The integration {label.name} is in use; deactivate it instead (is_active: false)."
        ) from None


def _without_mask(integration: Integration, changes: dict[str, Any]) -> dict[str, Any]:
    """Leave out an api_key that is what we show of the stored one."""
    stored: Any = integration.api_key
    if stored is not None and stored.is_mask(changes.get("api_key")):
        return {name: value for name, value in changes.items() if name != "api_key"}
    return changes


def _check_key_stays_home(integration: Integration, changes: dict[str, Any]) -> None:
    """Let a stored key go to another host only if whoever sends it there knows it."""
    if integration.api_key is None or "api_key" in changes:
        return
    moved = changes.get("base_url", integration.base_url)
    try:
        if parse_url(moved).origin == parse_url(integration.base_url).origin:
            return
    except InvalidUrl as error:
        raise ValidationFailed.of("base_url", str(error)) from None
    raise ValidationFailed.of(
        "api_key", "The stored key was given for another host; send it again.", code="required"
    )


def _taken(integration: Integration, changes: dict[str, Any] | None = None) -> str:
    name = (changes or {}).get("name", integration.name)
    return f"There is an integration called {name} already."


def _check(integration: Integration) -> None:
    try:
        parse_url(integration.base_url)
    except InvalidUrl as error:
        raise ValidationFailed.of("base_url", str(error)) from None
    check_headers(integration.headers)
    integration.full_clean(exclude=["project"])
