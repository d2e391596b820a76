"""Registering, changing and removing integrations."""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import ProtectedError

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from authz.configuration.revision import move_revision
from authz.models import Project
from authz.policies.services import detach_all
from authz.secrets.keyring import SecretUnreadable
from integrations.connections import breaker
from integrations.connections.auth import SCHEMES
from integrations.connections.endpoints import endpoint_url
from integrations.connections.headers import check_headers
from integrations.connections.networks import check_networks
from integrations.http.errors import InvalidUrl
from integrations.http.guard import Origin, parse_url
from integrations.models import Integration
from intmod_site.api.errors import Conflict, ValidationFailed
from intmod_site.conflicts import atomic_unless_taken

RESERVED_NAME = "request"
"""`/integration/external/request` takes the name in its body."""


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
        seen_by = _secret_seen_by(current)
        for name, value in changes.items():
            setattr(current, name, value)
        _check(current)
        if "api_key" not in changes:
            _check_secret_stays(current, seen_by)
        current.save()
        breaker.reset(current.pk)
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


def _secret_seen_by(integration: Integration) -> set[Origin]:
    """Give everybody who is shown the secret, or what it is exchanged for."""
    scheme = SCHEMES.get(integration.auth_scheme)
    if scheme is None:
        return set()
    urls = scheme.secret_goes_to(integration.base_url, integration.auth_settings)
    return {parse_url(url).origin for url in urls}


def _check_secret_stays(integration: Integration, seen_by: set[Origin]) -> None:
    """Let a stored secret be shown to somebody else only if whoever decides that knows it."""
    if integration.api_key is not None and _secret_seen_by(integration) - seen_by:
        raise ValidationFailed.of(
            "api_key", "The stored key was given for another host; send it again.", code="required"
        )


def _taken(integration: Integration, changes: dict[str, Any] | None = None) -> str:
    name = (changes or {}).get("name", integration.name)
    return f"There is an integration called {name} already."


def _check(integration: Integration) -> None:
    if integration.name == RESERVED_NAME:
        raise ValidationFailed.of("name", "This name is taken by a route.")
    try:
        target = parse_url(integration.base_url).target
    except InvalidUrl as error:
        raise ValidationFailed.of("base_url", str(error)) from None
    if "?" in target:
        raise ValidationFailed.of("base_url", "A URL without a query: paths are put behind it.")
    check_headers(integration.headers)
    check_networks(integration.allowed_networks)
    _check_auth(integration)
    endpoint_url(integration.base_url.rstrip("/"), integration.test_endpoint, field="test_endpoint")
    integration.full_clean(exclude=["project"])


def _check_auth(integration: Integration) -> None:
    scheme = SCHEMES.get(integration.auth_scheme)
    if scheme is None:
        raise ValidationFailed.of("auth_scheme", f"One of {', '.join(SCHEMES)}.")
    if not isinstance(integration.auth_settings, dict):
        raise ValidationFailed.of("auth_settings", "An object.")
    scheme.check(integration.auth_settings)
    stored: Any = integration.api_key
    if stored is None:
        if scheme.needs_secret:
            raise ValidationFailed.of(
                "api_key", f"The scheme {scheme.name} needs it.", code="required"
            )
        return
    try:
        secret = stored.reveal()
    except SecretUnreadable:
        return
    if not scheme.secret.fullmatch(secret):
        raise ValidationFailed.of("api_key", "It has characters that cannot be sent this way.")
