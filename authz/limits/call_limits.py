"""What may be called: setting it, and finding what counts for a caller."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from authz.configuration.revision import move_revision
from authz.configuration.snapshot import Snapshot
from authz.limits.holds import SECOND_US
from authz.models import APIKey, CallLimit, HoldAccount, Project
from intmod_site.api.errors import NotFound, ValidationFailed
from intmod_site.conflicts import atomic_unless_taken

LIMITS = ("requests_per_minute", "tokens_per_minute", "parallel_calls", "budget_usd")
MOST = {
    "requests_per_minute": 1_000_000,
    "tokens_per_minute": 2_000_000_000,
    # Each running call is an entry of one row, which every call of the same caller rewrites.
    "parallel_calls": 1000,
}
ALWAYS = "always"
"""The window of a budget that never begins anew."""
LONGEST_WINDOW = timedelta(days=32)
TAKEN = "There is a limit for this already; change that one."


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one subject may call; None allows everything. Immutable and free of the database.

    Args:
        subject: Whose: a project or an API key, as a key of rates and holds.
        whose: The same for people.
    """

    subject: str
    whose: str
    requests_per_minute: int | None
    tokens_per_minute: int | None
    parallel_calls: int | None
    budget_usd: Decimal | None
    budget_window: str

    def budget_begins(self, now: datetime) -> str:
        """Give the present window of the budget, as a part of its key."""
        formats = {"day": "%Y-%m-%d", "month": "%Y-%m"}
        return now.astimezone(UTC).strftime(formats.get(self.budget_window, ALWAYS))


def forget_ended_windows(now: datetime | None = None) -> int:
    """Remove the accounts of budgets of past days and months, and of calls long ended.

    Nothing adds to those any more; a budget that never begins anew keeps its account.
    """
    before = (now or timezone.now()) - LONGEST_WINDOW
    old = HoldAccount.objects.filter(changed_us__lt=int(before.timestamp() * SECOND_US))
    return old.exclude(key__endswith=f":{ALWAYS}").delete()[0]


def create_call_limit(
    *, actor: Actor, project: Project, api_key: APIKey | None = None, **fields: Any
) -> CallLimit:
    """Limit the calls of a project, or of one of its keys.

    Args:
        actor: Who limits.
        project: Where.
        api_key: Whose calls; None for all of the project's.
        fields: Columns of `CallLimit`.

    Raises:
        Conflict: There is a limit for this already.
        ValidationFailed: Nothing is limited, by too much, or the key is another project's.
        django.core.exceptions.ValidationError: Another field is wrong.
    """
    limit = CallLimit(project=project, api_key=api_key, **fields)
    _check(limit)
    with atomic_unless_taken(TAKEN):
        limit.save(force_insert=True)
        move_revision()
        record_change(
            actor=actor,
            action="calllimit.create",
            obj=limit,
            project=project,
            after=state_of(limit),
        )
    return limit


def update_call_limit(*, actor: Actor, limit: CallLimit, changes: dict[str, Any]) -> CallLimit:
    """Change a limit, from the next call on; what is used up stays used up.

    Raises:
        NotFound: It was deleted meanwhile.
        ValidationFailed, django.core.exceptions.ValidationError: As in `create_call_limit`.
    """
    with transaction.atomic():
        current = _locked(limit)
        before = state_of(current)
        for name, value in changes.items():
            setattr(current, name, value)
        _check(current)
        current.save()
        move_revision()
        record_change(
            actor=actor,
            action="calllimit.update",
            obj=current,
            project=current.project,
            before=before,
            after=state_of(current),
        )
    return current


def delete_call_limit(*, actor: Actor, limit: CallLimit) -> None:
    """Allow everything again."""
    with transaction.atomic():
        current = _locked(limit)
        before, project = state_of(current), current.project
        label = CallLimit(pk=current.pk, project=project, api_key=current.api_key)
        current.delete()
        move_revision()
        record_change(
            actor=actor, action="calllimit.delete", obj=label, project=project, before=before
        )


def allowances_of(
    *, snapshot: Snapshot, project_id: UUID, credential_id: UUID
) -> tuple[Allowance, ...]:
    """Give what counts for a caller: the key's own limit, then the project's."""
    return snapshot.get(
        ("allowances", project_id, credential_id), lambda: _load(project_id, credential_id)
    )


def _load(project_id: UUID, credential_id: UUID) -> tuple[Allowance, ...]:
    of_project = CallLimit.objects.in_project(project_id).select_related("project", "api_key")
    found = [limit for limit in of_project if limit.api_key_id in {None, credential_id}]
    found.sort(key=lambda limit: limit.api_key_id is None)
    return tuple(_allowance(limit) for limit in found)


def _allowance(limit: CallLimit) -> Allowance:
    of_key = limit.api_key_id is not None
    return Allowance(
        subject=f"key:{limit.api_key_id}" if of_key else f"project:{limit.project_id}",
        whose="this API key" if of_key else "this project",
        requests_per_minute=limit.requests_per_minute,
        tokens_per_minute=limit.tokens_per_minute,
        parallel_calls=limit.parallel_calls,
        budget_usd=limit.budget_usd,
        budget_window=limit.budget_window,
    )


def _locked(limit: CallLimit) -> CallLimit:
    current = (
        CallLimit.objects.select_for_update(of=("self",))
        .select_related("project", "api_key")
        .filter(pk=limit.pk)
        .first()
    )
    if current is None:
        raise NotFound("There is no such limit.")
    return current


def _check(limit: CallLimit) -> None:
    limit.full_clean(exclude=["project"], validate_unique=False, validate_constraints=False)
    if all(getattr(limit, name) is None for name in LIMITS):
        raise ValidationFailed(f"Limit something: one of {', '.join(LIMITS)}.")
    for name, most in MOST.items():
        value = getattr(limit, name)
        if value is not None and not 1 <= value <= most:
            raise ValidationFailed.of(name, f"From 1 to {most}.")
    if limit.budget_usd is not None and limit.budget_usd < 0:
        raise ValidationFailed.of("budget_usd", "Zero or more.")
    if limit.api_key is not None and limit.api_key.project_id != limit.project_id:
        raise ValidationFailed.of("api_key", "There is no such key in this project.")
