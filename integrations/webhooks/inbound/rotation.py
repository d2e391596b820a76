"""Exchanging a source's secret: the old one counts for a while, or never again."""

from django.db import transaction
from django.utils import timezone

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from authz.configuration.revision import move_revision
from integrations.models import InboundSource
from integrations.webhooks.inbound.sources import locked, scheme_of, secret_for
from integrations.webhooks.replaced_secrets import OVERLAP_S, replaced_by, written

MOST_REPLACED = 5
"""Secrets beside the present one that count: each costs a hash of every body."""


def rotate_secret(
    *,
    actor: Actor,
    source: InboundSource,
    secret: str | None = None,
    overlap_s: int = OVERLAP_S,
) -> tuple[InboundSource, str]:
    """Give a source another secret.

    Args:
        actor: Who.
        source: Whose.
        secret: The new one; made here unless it is given.
        overlap_s: How long the present one still counts, in seconds; 0 revokes it and all that
            it replaced at once.

    Returns:
        The source, and its new secret in plain text: to be shown this once.

    Raises:
        ValidationFailed: Nothing is signed with such a secret, or it is the present one.
        Conflict: Too many replaced ones count already, or they cannot be read any more.
        NotFound: It was removed meanwhile.
    """
    now = timezone.now()
    with transaction.atomic():
        current = locked(source)
        plaintext = secret_for(scheme_of(current), secret)
        before = state_of(current)
        replaced = replaced_by(current, plaintext, overlap_s=overlap_s, now=now, most=MOST_REPLACED)
        current.old_secrets = written(replaced)  # type: ignore[assignment]  # its descriptor's
        current.secret = plaintext
        current.save(update_fields=["secret", "old_secrets", "updated_at"])
        move_revision()
        record_change(
            actor=actor,
            action="inboundsource.rotate_secret",
            obj=current,
            project=current.project,
            before=before,
            after=state_of(current) | {"overlap_s": overlap_s},
        )
    return current, plaintext
