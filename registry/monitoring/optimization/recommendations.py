"""Recommendations: finding them, and deciding about them."""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from intmod_site.api.errors import ApiError, Conflict
from registry.catalog.search.query import VERSIONS, condition_of
from registry.catalog.services import locked_model
from registry.models import ModelVersion, OptimizationRule, Recommendation
from registry.monitoring.announcements import RECOMMENDED, announce
from registry.monitoring.optimization.actions import apply_action
from registry.monitoring.optimization.candidates import candidate_of
from registry.monitoring.optimization.finders import Finding, finder_named
from registry.monitoring.optimization.usage import expected_change

log = logging.getLogger("intmod.monitoring")
State = Recommendation.State
DECIDABLE = (State.OPEN, State.ACCEPTED)


def optimize(version: ModelVersion, now: datetime | None = None) -> list[str]:
    """Apply the project's rules to a version, and say what they recommend: the guide's list.

    A rule that fails says so in the list and does not stop the others.
    """
    now = now or timezone.now()
    texts = []
    rules = OptimizationRule.objects.filter(project=version.project_id, is_active=True)
    for rule in rules.select_related("project").order_by("name"):
        try:
            with transaction.atomic():
                texts += [row.text for row in _apply_rule(rule, version, now)]
            failure = ""
        except Exception as error:
            log.warning("rule failed", exc_info=error)
            said = error.message if isinstance(error, ApiError) else repr(error)
            failure = said[:400]
            texts.append(f"Rule {rule.name} failed: {failure}")
        if rule.last_error != failure:
            OptimizationRule.objects.filter(pk=rule.pk).update(last_error=failure)
    return texts


def _apply_rule(
    rule: OptimizationRule, version: ModelVersion, now: datetime
) -> list[Recommendation]:
    # Locked, so that of two who apply a rule one sees what the other recommended.
    OptimizationRule.objects.select_for_update(of=("self",), no_key=True).get(pk=rule.pk)
    found = list(_findings(rule, version, now))
    opened = Recommendation.objects.filter(rule=rule, version=version, state=State.OPEN).first()
    if not found:
        if opened is not None:
            _close(opened, State.SUPERSEDED, now)
        return []
    # One is open at a time: the first that was found.
    finding = found[0]
    parameters = rule.parameters | finding.parameters
    if finding.candidate is not None:
        parameters = parameters | {"version": finding.candidate.number}
    candidate = candidate_of(version, finding, rule.action, parameters, now)
    expected = expected_change(version, candidate, now) if candidate else None
    if opened is not None:
        if opened.parameters == parameters and opened.action == rule.action:
            opened.evidence, opened.text = finding.evidence, finding.text[:500]
            opened.expected_change = expected
            opened.save(update_fields=["evidence", "text", "expected_change"])
            return [opened]
        _close(opened, State.SUPERSEDED, now)
    row = Recommendation.objects.create(
        project=rule.project,
        rule=rule,
        version=version,
        action=rule.action,
        parameters=parameters,
        text=finding.text[:500],
        evidence=finding.evidence,
        expected_change=expected,
        created_at=now,
        expires_at=now + timedelta(days=rule.expires_after_days),
    )
    data = {"recommendation_id": str(row.pk), "model_id": version.identifier, "text": row.text}
    announce(rule.project, RECOMMENDED, data | {"evidence": row.evidence})
    return [row]


def _findings(rule: OptimizationRule, version: ModelVersion, now: datetime) -> Iterable[Finding]:
    if rule.finder:
        yield from finder_named(rule.finder)(version, dict(rule.parameters), now)
        return
    condition = condition_of(rule.condition, VERSIONS, project_id=version.project_id)
    if ModelVersion.objects.filter(condition, pk=version.pk).exists():
        values = version.metric_values.values_list("metric", "aggregation", "value")
        evidence = {f"{metric}.{how}": value for metric, how, value in values}
        verb = rule.get_action_display().lower()
        yield Finding(f"{rule.name}: {verb} ({version} matches {rule.condition}).", evidence)


def _close(row: Recommendation, state: Recommendation.State, now: datetime) -> None:
    row.state, row.decided_at = state, now
    row.save(update_fields=["state", "decided_at"])


def accept(*, actor: Actor, recommendation: Recommendation) -> Recommendation:
    """Say that it will be done."""
    return _decide(actor, recommendation, State.ACCEPTED, (State.OPEN,))


def dismiss(*, actor: Actor, recommendation: Recommendation) -> Recommendation:
    """Say that it will not be done."""
    return _decide(actor, recommendation, State.DISMISSED, DECIDABLE)


def apply(*, actor: Actor, recommendation: Recommendation) -> Recommendation:
    """Do it, in one transaction with its record.

    Raises:
        Conflict: It was decided otherwise meanwhile, or the catalog refuses.
        ApiError: The catalog refuses.
    """
    with transaction.atomic():
        # The model first, as whoever deletes it does: its recommendations go after it.
        locked_model(recommendation.version.model)
        row = _decide(actor, recommendation, State.APPLIED, DECIDABLE)
        apply_action(actor, row)
    return row


def expire(now: datetime | None = None) -> int:
    """Close what nobody decided in time, and give how many."""
    now = now or timezone.now()
    late = Recommendation.objects.filter(state=State.OPEN, expires_at__lte=now)
    return late.update(state=State.EXPIRED, decided_at=now)


def _decide(
    actor: Actor,
    recommendation: Recommendation,
    state: Recommendation.State,
    allowed: tuple[Recommendation.State, ...],
) -> Recommendation:
    with transaction.atomic():
        before = state_of(recommendation)
        now = timezone.now()
        decided = Recommendation.objects.filter(pk=recommendation.pk, state__in=allowed).update(
            state=state, decided_at=now, decided_by=actor.label[:200]
        )
        row = Recommendation.objects.select_related(
            "project", "rule", "version__model", "version__project", "version__integration"
        ).get(pk=recommendation.pk)
        if not decided:
            raise Conflict(f"It is {row.state.lower()} already.", code="already_decided")
        record_change(
            actor=actor,
            action=f"recommendation.{state.lower()}",
            obj=row,
            project=row.project,
            before=before,
            after=state_of(row),
        )
    return row
