"""Rules: adding, changing and removing them."""

from typing import Any

from django.db import transaction

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from authz.models import Project
from intmod_site.api.errors import NotFound, ValidationFailed
from intmod_site.conflicts import atomic_unless_taken
from intmod_site.locked_rows import locked
from registry.catalog.search.query import VERSIONS, condition_of
from registry.models import OptimizationRule
from registry.monitoring.optimization.actions import check_parameters
from registry.monitoring.optimization.finders import finder_named


def add_optimization_rule(
    *, actor: Actor, project: Project, name: str, action: str, **fields: Any
) -> OptimizationRule:
    """Add a rule: a condition or a finder, and what to recommend.

    Raises:
        Conflict: There is a rule of this name.
        ValidationFailed, django.core.exceptions.ValidationError: A field is wrong.
    """
    with atomic_unless_taken(f"There is a rule called {name} already."):
        rule = OptimizationRule(project=project, name=name, action=action, **fields)
        _check(rule)
        rule.save(force_insert=True)
        _record(actor, "create", rule, None, state_of(rule))
    return rule


def update_rule(
    *, actor: Actor, rule: OptimizationRule, changes: dict[str, Any]
) -> OptimizationRule:
    """Change a rule.

    Raises:
        ValidationFailed, django.core.exceptions.ValidationError: A field is wrong.
    """
    with transaction.atomic():
        current = _locked(rule)
        before = state_of(current)
        for name, value in changes.items():
            setattr(current, name, value)
        current.last_error = ""
        _check(current)
        current.save()
        _record(actor, "update", current, before, state_of(current))
    return current


def delete_rule(*, actor: Actor, rule: OptimizationRule) -> None:
    """Remove a rule, and its recommendations with it."""
    with transaction.atomic():
        current = _locked(rule)
        _record(actor, "delete", current, state_of(current), None)
        current.delete()


def _record(actor: Actor, verb: str, rule: OptimizationRule, before: Any, after: Any) -> None:
    record_change(
        actor=actor,
        action=f"optimizationrule.{verb}",
        obj=rule,
        project=rule.project,
        before=before,
        after=after,
    )


def _locked(rule: OptimizationRule) -> OptimizationRule:
    return locked(rule, missing=NotFound(f"There is no rule called {rule.name}."))


def _check(rule: OptimizationRule) -> None:
    if bool(rule.condition) == bool(rule.finder):
        raise ValidationFailed.of("condition", "Give either a condition or a finder.")
    if rule.finder:
        finder_named(rule.finder)
    try:
        condition_of(rule.condition, VERSIONS)
    except ValidationFailed as error:
        raise ValidationFailed.of("condition", error.fields[0].message) from None
    if not 1 <= rule.expires_after_days <= 365:
        raise ValidationFailed.of("expires_after_days", "From 1 to 365.")
    rule.full_clean(exclude=["project"], validate_unique=False, validate_constraints=False)
    check_parameters(rule.action, rule.parameters)
