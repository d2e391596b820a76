"""Evaluating thresholds: one at a time, each in a transaction, however many evaluators run."""

import logging
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from intmod_site.api.errors import NotFound
from registry.models import Alert, Silence, Threshold
from registry.models.thresholds import OPEN_STATES
from registry.monitoring.alerting.observing import Observation, Watched, observe, watched_by
from registry.monitoring.alerting.states import (
    Life,
    NoData,
    Notice,
    Seen,
    State,
    Timing,
    advance,
)
from registry.monitoring.alerting.thresholds import locked_threshold
from registry.monitoring.announcements import announce

log = logging.getLogger("intmod.monitoring")


def evaluate_all(now: datetime | None = None, *, project_id: Any = None) -> int:
    """Evaluate every active threshold, and give how many; one that fails does not stop the rest."""
    thresholds = Threshold.objects.filter(is_active=True)
    if project_id is not None:
        thresholds = thresholds.filter(project=project_id)
    # All at once: SQLite refuses at once who goes from an open reading to writing.
    found = list(thresholds.only("pk"))
    for threshold in found:
        evaluate(threshold, now)
    return len(found)


def evaluate(threshold: Threshold, now: datetime | None = None) -> Alert | None:
    """Evaluate a threshold, and give the alert that it left, if there is one.

    Args:
        threshold: Locked while it is evaluated: of two evaluators one waits and sees what the
            other left.
        now: The present moment by default.
    """
    now = now or timezone.now()
    with transaction.atomic():
        try:
            current = locked_threshold(threshold)
        except NotFound:
            return None
        watched = watched_by(current)
        open_alerts = list(Alert.objects.filter(threshold=current, state__in=OPEN_STATES))
        alert = None
        for row in open_alerts:
            if watched is not None and row.fingerprint == watched.fingerprint:
                alert = row
            else:
                _end(row, current, now)
        if watched is None:
            return None
        if alert is not None and alert.evaluated_at > now:
            # Another evaluator was later and came first.
            return alert
        return _advance(current, watched, alert, _observed(current, watched, now), now)


def _observed(threshold: Threshold, watched: Watched, now: datetime) -> Observation:
    try:
        # In a savepoint: a failing query must not spoil the rest of the transaction.
        with transaction.atomic():
            return observe(threshold, watched, now)
    except Exception:
        log.exception("evaluation failed", extra={"fields": {"threshold": str(threshold.pk)}})
        return Observation(Seen.ERROR)


def _advance(
    threshold: Threshold,
    watched: Watched,
    alert: Alert | None,
    observed: Observation,
    now: datetime,
) -> Alert | None:
    life = (
        Life(State(alert.state), alert.state_since, alert.severity, alert.notified_at)
        if alert
        else Life()
    )
    timing = Timing(
        threshold.for_s,
        threshold.keep_firing_for_s,
        threshold.renotify_s,
        NoData(threshold.no_data_policy),
    )
    after, notice = advance(life, observed.seen, timing, now, severity=observed.severity)
    if after.state is State.NORMAL:
        # What never fired leaves nothing behind.
        if alert is not None:
            alert.delete()
        return None
    alert = alert or Alert(
        project=threshold.project,
        threshold=threshold,
        fingerprint=watched.fingerprint,
        version_id=watched.version_id,
        started_at=now,
    )
    alert.state, alert.severity = after.state.value, after.severity
    alert.state_since, alert.evaluated_at = after.since or now, now
    if observed.value is not None:
        alert.value = observed.value
    if observed.limit is not None:
        alert.limit = observed.limit
    alert.message = _message(threshold, observed)
    _note(alert, after, notice, now)
    alert.save()
    return alert


def _note(alert: Alert, after: Life, notice: Notice | None, now: datetime) -> None:
    """Set the moments that follow from the state, and tell what is to be told."""
    if after.state is State.FIRING and alert.fired_at is None:
        alert.fired_at = now
    if after.state is State.RESOLVED:
        alert.resolved_at = now
    alert.is_silenced = is_silenced(alert.threshold, now)
    # What was known of is not told again; what got worse is.
    known = notice is Notice.STILL_FIRING and alert.acknowledged_at is not None
    if notice is None or known or alert.is_silenced:
        return
    alert.notified_at = now
    _announce(alert, notice)


def _end(alert: Alert, threshold: Threshold, now: datetime) -> None:
    """Close an alert about what is not watched any more."""
    if alert.state == State.PENDING:
        alert.delete()
        return
    alert.state, alert.state_since, alert.resolved_at = State.RESOLVED.value, now, now
    alert.evaluated_at, alert.message = now, "The alias points elsewhere now."
    alert.is_silenced = is_silenced(threshold, now)
    alert.save()
    if not alert.is_silenced:
        _announce(alert, Notice.RESOLVED)


def is_silenced(threshold: Threshold, now: datetime) -> bool:
    """Whether alerts of a threshold are not to be told now."""
    model_id = threshold.model_id or (threshold.version and threshold.version.model_id)
    about = Q(threshold=threshold) | Q(threshold=None, model=None)
    if model_id:
        about |= Q(model=model_id)
    return Silence.objects.filter(
        about, project=threshold.project_id, starts_at__lte=now, ends_at__gt=now
    ).exists()


def _announce(alert: Alert, notice: Notice) -> None:
    threshold = alert.threshold
    announce(
        alert.project,
        f"model.alert.{notice.value}",
        {
            "alert_id": str(alert.pk),
            "threshold_id": str(threshold.pk),
            "target": threshold.target,
            "metric": threshold.metric,
            "severity": alert.severity,
            "state": alert.state,
            "value": alert.value,
            "limit": alert.limit,
            "message": alert.message,
            "started_at": alert.started_at.isoformat(),
        },
    )


def _message(threshold: Threshold, observed: Observation) -> str:
    if observed.seen is Seen.ERROR:
        return f"{threshold.metric} of {threshold.target} could not be evaluated."[:500]
    if observed.value is None:
        return f"There are no values of {threshold.metric} of {threshold.target}."[:500]
    words = threshold.get_comparator_display()
    limit = "" if observed.limit is None else f"; {words} {observed.limit:g} is wrong"
    return (
        f"{threshold.metric} ({threshold.aggregation}) of {threshold.target} is"
        f" {observed.value:g}{limit}."
    )[:500]
