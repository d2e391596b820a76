"""What a recommendation would have used instead, as far as the log knows it."""

from datetime import datetime
from typing import Any

from registry.models import ModelVersion, OptimizationRule
from registry.monitoring.optimization.actions import integration_of
from registry.monitoring.optimization.finders import Finding
from registry.monitoring.optimization.usage import Candidate, rates_at, rates_of

Action = OptimizationRule.Action


def candidate_of(
    version: ModelVersion, finding: Finding, action: str, parameters: dict[str, Any], now: datetime
) -> Candidate | None:
    """Give what an action would put in a version's place; None for what puts nothing there."""
    if finding.candidate is not None:
        return Candidate(rates_of(finding.candidate, now), (finding.candidate.pk,))
    if action == Action.SWITCH_PROVIDER:
        return _elsewhere(version, parameters, now)
    return None


def _elsewhere(
    version: ModelVersion, parameters: dict[str, Any], now: datetime
) -> Candidate | None:
    """Learn another provider's latency from versions that it answers for in this project."""
    integration = integration_of(version, parameters)
    if integration is None and parameters.get("integration"):
        return None
    name = parameters["provider_model"]
    alike = (
        ModelVersion.objects.in_project(version.project_id)
        .filter(provider=parameters["provider"], provider_model=name, integration=integration)
        .exclude(pk=version.pk)
    )
    rates = rates_at(parameters.get("prices", {}), integration, name, now)
    return Candidate(rates, tuple(alike.values_list("pk", flat=True)))
