"""Routes: creating, changing, deleting."""

import math
from typing import Any

from django.db import transaction

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from authz.configuration.revision import move_revision
from authz.models import Project
from intmod_site.api.errors import NotFound, ValidationFailed
from intmod_site.conflicts import atomic_unless_taken
from intmod_site.locked_rows import locked
from registry.models import Route

MAX_TARGETS = 20
MAX_WEIGHT = 1_000_000
MAX_ORDER = 1_000
MAX_REFERENCE_LENGTH = 300


def create_route(*, actor: Actor, project: Project, **fields: Any) -> Route:
    """Create a route.

    Args:
        actor: Who creates it.
        project: Where.
        fields: Columns of `Route`.

    Raises:
        Conflict: The name is taken by another route.
        ValidationFailed: A target is not one.
        django.core.exceptions.ValidationError: Another field is wrong.
    """
    route = Route(project=project, **fields)
    _check(route)
    with atomic_unless_taken(f"There is a route called {route.name} already."):
        route.save(force_insert=True)
        move_revision()
        record_change(
            actor=actor, action="route.create", obj=route, project=project, after=state_of(route)
        )
    return route


def update_route(*, actor: Actor, route: Route, changes: dict[str, Any]) -> Route:
    """Change a route; calls that begin afterwards are spread as it says then.

    Raises:
        NotFound: It was deleted meanwhile.
        Conflict, ValidationFailed, django.core.exceptions.ValidationError: As in `create_route`.
    """
    name = changes.get("name", route.name)
    with atomic_unless_taken(f"There is a route called {name} already."):
        current = _locked(route)
        before = state_of(current)
        for field, value in changes.items():
            setattr(current, field, value)
        _check(current)
        current.save()
        move_revision()
        record_change(
            actor=actor,
            action="route.update",
            obj=current,
            project=current.project,
            before=before,
            after=state_of(current),
        )
    return current


def delete_route(*, actor: Actor, route: Route) -> None:
    """Delete a route; a model of its name answers to the name again."""
    with transaction.atomic():
        current = _locked(route)
        before, label = state_of(current), Route(pk=current.pk, name=current.name)
        project = current.project
        current.delete()
        move_revision()
        record_change(actor=actor, action="route.delete", obj=label, project=project, before=before)


def _locked(route: Route) -> Route:
    return locked(
        route, missing=NotFound(f"There is no route called {route.name}.", code="route_not_found")
    )


def _check(route: Route) -> None:
    _check_targets(route.targets)
    route.full_clean(exclude=["project"], validate_unique=False, validate_constraints=False)


def _check_targets(targets: Any) -> None:
    if not isinstance(targets, list) or not 1 <= len(targets) <= MAX_TARGETS:
        raise ValidationFailed.of("targets", f"A list of 1 to {MAX_TARGETS}.")
    for index, target in enumerate(targets):
        _check_target(f"/targets/{index}", target)
    if all(target.get("weight", 1) == 0 for target in targets):
        raise ValidationFailed.of("targets", "At least one needs a weight above zero.")


def _check_target(at: str, target: Any) -> None:
    if not isinstance(target, dict) or set(target) - {"model", "weight", "order"}:
        raise ValidationFailed.of(at, 'An object like {"model": "name", "weight": 1, "order": 0}.')
    model, weight, order = target.get("model"), target.get("weight", 1), target.get("order", 0)
    if not (isinstance(model, str) and 0 < len(model) <= MAX_REFERENCE_LENGTH):
        raise ValidationFailed.of(f"{at}/model", "What a caller would write as the model.")
    if not (_is_number(weight) and 0 <= weight <= MAX_WEIGHT):
        raise ValidationFailed.of(f"{at}/weight", f"A number from 0 to {MAX_WEIGHT}.")
    if not (_is_number(order) and order == int(order) and 0 <= order <= MAX_ORDER):
        raise ValidationFailed.of(f"{at}/order", f"A whole number from 0 to {MAX_ORDER}.")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
