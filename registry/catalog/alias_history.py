"""Writing down each move of an alias, in the transaction that makes it."""

from datetime import timedelta

from django.utils import timezone

from authz.audit.actor import Actor
from registry.models import AliasChange, ModelAlias


def record_alias_change(
    *,
    actor: Actor,
    alias: ModelAlias,
    previous: int | None,
    version: int | None = None,
    reason: str = "",
    restores: int | None = None,
) -> AliasChange:
    """Add the next row; the caller holds the lock of the model's row.

    Args:
        actor: Who moves it.
        alias: Which alias.
        previous: The version's number that it pointed at; None if there was no such alias.
        version: The number that it points at from now on; None if it is removed.
        reason: Why.
        restores: The sequence number that a rollback goes back to.
    """
    last = (
        AliasChange.objects.filter(model=alias.model_id, name=alias.name)
        .order_by("-sequence")
        .first()
    )
    now = timezone.now()
    if last is not None and last.valid_from >= now:
        # The clocks of two machines differ: what came second begins later all the same.
        now = last.valid_from + timedelta(microseconds=1)
    return AliasChange.objects.create(
        model_id=alias.model_id,
        name=alias.name,
        sequence=last.sequence + 1 if last else 1,
        version_number=version,
        previous_number=previous,
        restores=restores,
        valid_from=now,
        actor_label=actor.label[:200],
        reason=reason,
    )
