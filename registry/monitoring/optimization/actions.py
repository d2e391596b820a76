"""What a recommendation does when it is applied, through the catalog's own services.

Register an action of your own in an AppConfig's ready() or an extension module by
`register_action`; rules name it in `parameters`: {"callable": name}.
"""

import logging
from collections.abc import Callable
from typing import Any

from django.db import Error

from authz.audit.actor import Actor
from integrations.models import Integration
from intmod_site.api.errors import ApiError, Conflict, ValidationFailed
from registry.catalog.aliases import set_alias
from registry.catalog.version_fields import check_prices
from registry.catalog.versions import create_version, deactivate_version, update_version
from registry.models import ModelVersion, OptimizationRule, Recommendation
from registry.monitoring.announcements import RECOMMENDED, announce

log = logging.getLogger("intmod.monitoring")

Action = OptimizationRule.Action
REQUIRED: dict[str, tuple[str, ...]] = {
    Action.SWITCH_PROVIDER: ("provider", "provider_model"),
    Action.LOWER_MAX_TOKENS: ("max_tokens",),
    Action.MOVE_ALIAS: ("alias",),
    Action.ENABLE_FALLBACK: ("fallback",),
    Action.DEACTIVATE: (),
    Action.NOTIFY: (),
    Action.CALL: ("callable",),
}
"""Parameters that a rule gives for its action."""

Callee = Callable[[Actor, Recommendation], None]
"""Does what is recommended, in the transaction that says so; what it raises takes both back."""

_registered: dict[str, Callee] = {}


def register_action(name: str, callee: Callee) -> None:
    """Make code known that rules can recommend to call, under a name."""
    _registered[name] = callee


def action_named(name: str) -> Callee:
    """Give registered code.

    Raises:
        ValidationFailed: There is none of this name.
    """
    if name not in _registered:
        offered = ", ".join(sorted(_registered)) or "(none is registered)"
        raise ValidationFailed.of("/parameters/callable", f"{name!a} is none of: {offered}.")
    return _registered[name]


def check_parameters(action: str, parameters: Any) -> None:
    """Refuse parameters that the action could not be done with.

    Raises:
        ValidationFailed: Naming the parameter.
    """
    if not isinstance(parameters, dict):
        raise ValidationFailed.of("parameters", "An object.")
    for name in REQUIRED.get(action, ()):
        value = parameters.get(name)
        if name == "max_tokens":
            good = isinstance(value, int) and not isinstance(value, bool) and value > 0
        else:
            good = isinstance(value, str) and 0 < len(value) <= 300
        if not good:
            raise ValidationFailed.of(f"/parameters/{name}", f"{action} needs it.")
    version = parameters.get("version", 1)
    if action == Action.MOVE_ALIAS and (type(version) is not int or not 1 <= version < 2**31):
        raise ValidationFailed.of("/parameters/version", "The number of a version.")
    if action == Action.SWITCH_PROVIDER:
        check_prices(parameters.get("prices", {}), "parameters/prices")
        for name in ("integration", "alias"):
            if not isinstance(parameters.get(name, ""), str):
                raise ValidationFailed.of(f"/parameters/{name}", "A name.")
    if action == Action.CALL:
        action_named(parameters["callable"])


def apply_action(actor: Actor, recommendation: Recommendation) -> None:
    """Do what is recommended.

    Raises:
        ApiError: The catalog refuses; nothing was changed.
    """
    _ACTIONS[recommendation.action](actor, recommendation, recommendation.version)


def integration_of(version: ModelVersion, parameters: dict[str, Any]) -> Integration | None:
    """Give the integration that another provider is reached by: the version's unless one is named.

    None if there is none of that name, or the version has none.
    """
    name = parameters.get("integration")
    if not name:
        return version.integration
    return Integration.objects.in_project(version.project_id).filter(name=name).first()


def _switch_provider(actor: Actor, row: Recommendation, version: ModelVersion) -> None:
    """Create a version that differs in its provider; what is in use stays until an alias moves."""
    given = row.parameters
    integration = integration_of(version, given)
    if integration is None and given.get("integration"):
        raise ValidationFailed.of("/parameters/integration", "There is none of this name.")
    made = create_version(
        actor=actor,
        model=version.model,
        provider=given["provider"],
        provider_model=given["provider_model"],
        integration=integration,
        description=version.description,
        tasks=list(version.tasks),
        parameters=dict(version.parameters),
        limits=dict(version.limits),
        prices=dict(given.get("prices", {})),
        tags=dict(version.tags),
    )
    if alias := given.get("alias"):
        set_alias(
            actor=actor, model=version.model, name=alias, version=made.number, reason=row.text
        )


def _lower_max_tokens(actor: Actor, row: Recommendation, version: ModelVersion) -> None:
    wanted = row.parameters["max_tokens"]
    current = version.limits.get("max_tokens")
    if current is not None and current <= wanted:
        raise Conflict(f"The limit of {version} is {current} already.")
    limits = version.limits | {"max_tokens": wanted}
    update_version(actor=actor, version=version, changes={"limits": limits})


def _move_alias(actor: Actor, row: Recommendation, version: ModelVersion) -> None:
    number = row.parameters.get("version")
    if number is None:
        raise ValidationFailed.of("/parameters/version", "No version is recommended to move to.")
    set_alias(
        actor=actor,
        model=version.model,
        name=row.parameters["alias"],
        version=number,
        expected_version=version.number,
        reason=row.text,
    )


def _enable_fallback(actor: Actor, row: Recommendation, version: ModelVersion) -> None:
    edge = {"model": row.parameters["fallback"], "on": ["error"]}
    if any(other.get("model") == edge["model"] for other in version.fallbacks):
        raise Conflict(f"{version} falls back to {edge['model']} already.")
    changes = {"fallbacks": [*version.fallbacks, edge]}
    update_version(actor=actor, version=version, changes=changes)


def _deactivate(actor: Actor, _: Recommendation, version: ModelVersion) -> None:
    deactivate_version(actor=actor, version=version)


def _notify(_: Actor, row: Recommendation, version: ModelVersion) -> None:
    data = {"recommendation_id": str(row.pk), "model_id": version.identifier, "text": row.text}
    announce(row.project, RECOMMENDED, data | {"evidence": row.evidence})


def _call(actor: Actor, row: Recommendation, _: ModelVersion) -> None:
    name = row.parameters["callable"]
    callee = action_named(name)
    try:
        callee(actor, row)
    except (ApiError, Error):
        raise
    except Exception as error:
        log.warning("action failed", exc_info=error)
        raise Conflict(f"{name} failed: {error!r}"[:400], code="action_failed") from error


_ACTIONS: dict[str, Callable[[Actor, Recommendation, ModelVersion], None]] = {
    Action.SWITCH_PROVIDER: _switch_provider,
    Action.LOWER_MAX_TOKENS: _lower_max_tokens,
    Action.MOVE_ALIAS: _move_alias,
    Action.ENABLE_FALLBACK: _enable_fallback,
    Action.DEACTIVATE: _deactivate,
    Action.NOTIFY: _notify,
    Action.CALL: _call,
}
