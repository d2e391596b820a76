"""What people do about alerts: acknowledge them, silence what is known."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from authz.models import Project
from intmod_site.api.errors import Conflict, NotFound, ValidationFailed
from registry.models import Alert, RegisteredModel, Silence, Threshold
from registry.models.thresholds import OPEN_STATES


def acknowledge(*, actor: Actor, alert: Alert) -> Alert:
    """Say that somebody knows: it is not told again until it gets worse or ends.

    Raises:
        Conflict: It is over.
    """
    with transaction.atomic():
        current = Alert.objects.select_for_update(of=("self",), no_key=True).select_related(
            "project", "threshold__model", "threshold__version__model", "threshold__integration",
            "version__model",
        ).get(pk=alert.pk)  # fmt: skip
        if current.state not in OPEN_STATES:
            raise Conflict("This alert is over.", code="alert_over")
        if current.acknowledged_at is not None:
            return current
        before = state_of(current)
        current.acknowledged_at, current.acknowledged_by = timezone.now(), actor.label[:200]
        current.save(update_fields=["acknowledged_at", "acknowledged_by"])
        record_change(
            actor=actor,
            action="alert.acknowledge",
            obj=current,
            project=current.project,
            before=before,
            after=state_of(current),
        )
    return current


def silence(
    *,
    actor: Actor,
    project: Project,
    ends_at: datetime,
    starts_at: datetime | None = None,
    model: RegisteredModel | None = None,
    threshold: Threshold | None = None,
    comment: str = "",
) -> Silence:
    """Let alerts be evaluated and not told, for a time; of all if nothing is named.

    Raises:
        ValidationFailed, django.core.exceptions.ValidationError: A field is wrong.
    """
    if model is not None and threshold is not None:
        raise ValidationFailed.of("threshold", "Either a model or a threshold.")
    begin = starts_at or timezone.now()
    if ends_at <= begin:
        raise ValidationFailed.of("ends_at", "A silence ends after it begins.")
    with transaction.atomic():
        row = Silence(
            project=project,
            model=model,
            threshold=threshold,
            starts_at=begin,
            ends_at=ends_at,
            comment=comment,
            created_by=actor.label[:200],
        )
        row.full_clean(exclude=["project", "model", "threshold"], validate_constraints=False)
        row.save(force_insert=True)
        record_change(
            actor=actor, action="silence.create", obj=row, project=project, after=state_of(row)
        )
    return row


def end_silence(*, actor: Actor, row: Silence) -> None:
    """Let alerts be told again.

    Raises:
        NotFound: It was ended meanwhile.
    """
    with transaction.atomic():
        before = state_of(row)
        project = row.project
        deleted, _ = Silence.objects.filter(pk=row.pk).delete()
        if not deleted:
            raise NotFound("There is no such silence.")
        record_change(actor=actor, action="silence.delete", obj=row, project=project, before=before)
