"""Writing down each move of an alias, in the transaction that makes it."""

from datetime import timedelta

from django.utils import timezone

from authz.audit.actor import Actor
from intmod_site.prepared import Prepared, insert
from registry.models import AliasChange, ModelAlias

_LAST = Prepared(
    lambda model, name: (
        AliasChange.objects.filter(model=model, name=name)
        .order_by("-sequence")
        .values_list("sequence", "valid_from")[:1]
    ),
)


def record_alias_change(
    *,
    actor: Actor,
    alias: ModelAlias,
    previous: int | None,
    version: int | None = None,
    reason: str = "",
    restores: int | None = None,
) -> None:
    """Add the next row; the caller holds the lock of the model's row.

    Args:
        actor: Who moves it.
        alias: Which alias.
        previous: The version's number that it pointed at; None if there was no such alias.
        version: The number that it points at from now on; None if it is removed.
        reason: Why.
        restores: The sequence number that a rollback goes back to.
    """
    sequence, began = _LAST.first(model=alias.model_id, name=alias.name) or (0, None)
    now = timezone.now()
    if began is not None and began >= now:
        # The clocks of two machines differ: what came second begins later all the same.
        now = began + timedelta(microseconds=1)
    change = AliasChange(
        model_id=alias.model_id,
        name=alias.name,
        sequence=sequence + 1,
        version_number=version,
        previous_number=previous,
        restores=restores,
        valid_from=now,
        actor_label=actor.label[:200],
        reason=reason,
    )
    insert(change)
