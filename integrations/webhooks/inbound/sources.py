"""Registering, changing and removing those who may tell us of events."""

from typing import Any

from django.db import transaction

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from authz.configuration.revision import move_revision
from authz.models import Project
from authz.policies.services import detach_all
from authz.secrets.keyring import SecretUnreadable
from integrations.models import InboundSource
from integrations.webhooks.inbound.policies import KIND
from integrations.webhooks.inbound.receivers import check_receivers
from integrations.webhooks.inbound.schemes import SCHEMES
from integrations.webhooks.inbound.schemes.scheme import SignatureScheme
from integrations.webhooks.names import check_free, check_name
from integrations.webhooks.replaced_secrets import present_secret, replaced_secrets
from intmod_site.api.errors import NotFound, ValidationFailed
from intmod_site.conflicts import atomic_unless_taken


def register_source(
    *, actor: Actor, project: Project, secret: str | None = None, **fields: Any
) -> tuple[InboundSource, str]:
    """Register somebody who may tell us of events.

    Args:
        actor: Who registers them.
        project: Where the events go.
        secret: What they sign with; made here unless it is given.
        fields: Columns of `InboundSource`.

    Returns:
        The source, and its secret in plain text: to be shown this once.

    Raises:
        Conflict: The name is taken.
        ValidationFailed, django.core.exceptions.ValidationError: A field is wrong.
    """
    source = InboundSource(project=project, **fields)
    plaintext = secret_for(scheme_of(source), secret)
    source.secret = plaintext
    _check(source)
    with atomic_unless_taken(_taken(source.name)):
        source.save(force_insert=True)
        move_revision()
        record_change(
            actor=actor,
            action="inboundsource.create",
            obj=source,
            project=project,
            after=state_of(source),
        )
    return source, plaintext


def update_source(*, actor: Actor, source: InboundSource, changes: dict[str, Any]) -> InboundSource:
    """Change a source; what comes afterwards is taken as it says then.

    Raises:
        Conflict, ValidationFailed, django.core.exceptions.ValidationError: As in
            `register_source`.
        NotFound: It was removed meanwhile.
    """
    with atomic_unless_taken(_taken(changes.get("name", source.name))):
        current = locked(source)
        before = state_of(current)
        for name, value in changes.items():
            setattr(current, name, value)
        _check(current)
        if "scheme" in changes:
            _check_secrets(current)
        current.save(update_fields=[*changes, "updated_at"])
        move_revision()
        record_change(
            actor=actor,
            action="inboundsource.update",
            obj=current,
            project=current.project,
            before=before,
            after=state_of(current),
        )
    return current


def remove_source(*, actor: Actor, source: InboundSource) -> None:
    """Remove a source with the events that it told us of.

    Raises:
        NotFound: It was removed meanwhile.
    """
    with transaction.atomic():
        current = locked(source)
        label = InboundSource(pk=current.pk, name=current.name)
        before, project = state_of(current), current.project
        detach_all(actor=actor, kind=KIND, target_ids=[current.pk])
        current.delete()
        move_revision()
        record_change(
            actor=actor, action="inboundsource.delete", obj=label, project=project, before=before
        )


def locked(source: InboundSource) -> InboundSource:
    """Give the source as it is now, locked until the transaction ends.

    Raises:
        NotFound: It was removed meanwhile.
    """
    rows = InboundSource.objects.select_for_update(of=("self",), no_key=True)
    current: InboundSource | None = rows.select_related("project").filter(pk=source.pk).first()
    if current is None:
        raise NotFound("There is no such inbound source any more.")
    return current


def _taken(name: str) -> str:
    return f"There is an inbound source called {name} already."


def scheme_of(source: InboundSource) -> SignatureScheme:
    """Give how its sender signs.

    Raises:
        ValidationFailed: There is no such scheme.
    """
    scheme = SCHEMES.get(source.scheme)
    if scheme is None:
        raise ValidationFailed.of("scheme", f"One of {', '.join(SCHEMES)}.")
    return scheme


def secret_for(scheme: SignatureScheme, given: str | None) -> str:
    """Give the secret to store: the given one, or one that is made here.

    Raises:
        ValidationFailed: Nothing is signed with such a secret, or the sender has to make it.
    """
    secret = given if given is not None else scheme.new_secret()
    if secret is None:
        raise ValidationFailed.of(
            "secret", f"The scheme {scheme.name} needs the sender's.", code="required"
        )
    scheme.check_secret(secret)
    return secret


def _check(source: InboundSource) -> None:
    scheme = scheme_of(source)
    if not isinstance(source.settings, dict):
        raise ValidationFailed.of("settings", "An object.")
    scheme.check(source.settings)
    check_receivers(source.receivers)
    if source.publishes_as:
        check_name(source.publishes_as, field="publishes_as")
        check_free(source.publishes_as, field="publishes_as")
    source.full_clean(exclude=["project"])


def _check_secrets(source: InboundSource) -> None:
    """Let another scheme be chosen only if the stored secrets are such as it signs with."""
    scheme = scheme_of(source)
    try:
        secrets = [present_secret(source), *(text for text, _ in replaced_secrets(source))]
    except SecretUnreadable:
        return
    for secret in secrets:
        try:
            scheme.check_secret(secret)
        except ValidationFailed as refusal:
            raise ValidationFailed.of(
                "scheme", f"The stored secret is none of this scheme's: {refusal.message}"
            ) from None
