"""Python code that finds what could be better: the rules that ship, and your own.

Register yours in an AppConfig's ready() or an extension module by `register_finder`.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db.models import Max

from intmod_site.api.errors import ValidationFailed
from registry.catalog.search.query import LATEST
from registry.models import InferenceRecord, ModelVersion, VersionMetric
from registry.monitoring.alerting.comparison import HIGHER, LOWER
from registry.monitoring.definitions import direction_of
from registry.monitoring.optimization.usage import PERIOD, cost_at, rates_of, usage_of
from registry.monitoring.reading import summarize


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule found about a version.

    Args:
        text: What is recommended and why, in one sentence.
        evidence: The numbers that it rests on.
        candidate: The version that would be better, where there is one.
        parameters: For the action, beside those of the rule.
    """

    text: str
    evidence: dict[str, Any]
    candidate: ModelVersion | None = None
    parameters: dict[str, Any] = field(default_factory=dict)


MAX_DAYS = 36_500

Finder = Callable[[ModelVersion, dict[str, Any], datetime], Iterable[Finding]]
"""From a version, the rule's parameters and the present moment to what was found."""

_finders: dict[str, Finder] = {}


def register_finder(name: str, finder: Finder) -> None:
    """Make a finder known, under the name that rules call it by."""
    _finders[name] = finder


def finder_named(name: str) -> Finder:
    """Give a finder.

    Raises:
        ValidationFailed: There is none of this name.
    """
    if name not in _finders:
        offered = ", ".join(sorted(_finders))
        raise ValidationFailed.of("finder", f"{name!a} is none of: {offered}.")
    return _finders[name]


def p95_above_target(
    version: ModelVersion, parameters: dict[str, Any], now: datetime
) -> Iterable[Finding]:
    """Latency above `target_ms`."""
    target = number(parameters, "target_ms", 1000)
    summary = summarize([version.pk], "latency_ms", now - timedelta(hours=24), now)
    p95 = summary.value("p95")
    if p95 is not None and p95 > target and summary.count >= number(parameters, "min_samples", 20):
        yield Finding(
            f"The p95 latency of {version} is {p95:.0f} ms, above {target:g} ms.",
            {"latency_ms_p95": p95, "target_ms": target, "calls": summary.count},
        )


def error_rate_above_target(
    version: ModelVersion, parameters: dict[str, Any], now: datetime
) -> Iterable[Finding]:
    """Share of failed calls above `target`."""
    target = number(parameters, "target", 0.05)
    summary = summarize([version.pk], "error", now - timedelta(hours=24), now)
    rate = summary.value("avg")
    if (
        rate is not None
        and rate > target
        and summary.count >= number(parameters, "min_samples", 20)
    ):
        yield Finding(
            f"{rate:.1%} of the calls of {version} failed, more than {target:.1%}.",
            {"error_rate": rate, "target": target, "calls": summary.count},
        )


def cheaper_version(
    version: ModelVersion, parameters: dict[str, Any], now: datetime
) -> Iterable[Finding]:
    """A version of the same model that costs less and is not worse by the same `metric`."""
    metric = str(parameters.get("metric", "accuracy"))
    tolerance = number(parameters, "tolerance", 0.0)
    others = ModelVersion.objects.callable().filter(model=version.model_id).exclude(pk=version.pk)
    rates = {row: rates_of(row, now) for row in (version, *others.select_related("integration"))}
    bounds = {above for card in rates.values() if card is not None for above in card.bounds}
    usage = usage_of(version, now, bounds=bounds)
    own_cost = cost_at(rates.pop(version), usage)
    measured = dict(
        VersionMetric.objects.filter(
            version__model=version.model_id, metric=metric, aggregation=LATEST
        ).values_list("version_id", "value")
    )
    if own_cost is None or not usage.calls or version.pk not in measured:
        return
    direction = direction_of(version.project_id, metric)
    worse_by = partial(shortfall, direction, than=measured[version.pk])
    best: tuple[Any, ModelVersion] | None = None
    for other, card in rates.items():
        cost = cost_at(card, usage)
        cheaper = cost is not None and cost < (best[0] if best else own_cost)
        if cheaper and other.pk in measured and worse_by(measured[other.pk]) <= tolerance:
            best = (cost, other)
    if best is not None:
        cost, other = best
        yield Finding(
            f"{version.model.name}:{other.number} does the work of {version} for"
            f" {cost:.4f} USD instead of {own_cost:.4f} in {PERIOD.days} days.",
            {
                "cost_usd": str(own_cost), "candidate_cost_usd": str(cost), "metric": metric,
                "value": measured[version.pk], "candidate_value": measured[other.pk],
                "calls": usage.calls,
            },
            candidate=other,
        )  # fmt: skip


def unused_for_days(
    version: ModelVersion, parameters: dict[str, Any], now: datetime
) -> Iterable[Finding]:
    """No call for `days`."""
    days = number(parameters, "days", 30, most=MAX_DAYS)
    since = now - timedelta(days=days)
    if version.created_at > since or not version.is_active:
        return
    last = InferenceRecord.objects.filter(version_id=version.pk).aggregate(at=Max("created_at"))[
        "at"
    ]
    if last is None or last < since:
        yield Finding(
            f"{version} has not been called for {days:g} days.",
            {"last_called_at": last.isoformat() if last else None, "days": days},
        )


def context_overflow_rate(
    version: ModelVersion, parameters: dict[str, Any], now: datetime
) -> Iterable[Finding]:
    """Share of calls whose text was too long above `target`."""
    target = number(parameters, "target", 0.01)
    usage = usage_of(version, now)
    if usage.calls < number(parameters, "min_samples", 20):
        return
    rate = usage.overflows / usage.calls
    if rate > target:
        yield Finding(
            f"{rate:.1%} of the calls of {version} were too long for its context.",
            {"context_overflow_rate": rate, "target": target, "calls": usage.calls},
        )


def shortfall(direction: str, value: float, *, than: float) -> float:
    """Say by how much a value is worse than another; where neither way is better, how far off."""
    if direction == HIGHER:
        return than - value
    return value - than if direction == LOWER else abs(value - than)


def number(parameters: dict[str, Any], name: str, default: float, *, most: float = 1e9) -> float:
    """Give a parameter that is a number.

    Raises:
        ValidationFailed: It is none, below zero or above the most.
    """
    value = parameters.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ValidationFailed.of(f"/parameters/{name}", f"A number from 0 to {most:g}.")
    return value


for shipped in (
    p95_above_target,
    error_rate_above_target,
    cheaper_version,
    unused_for_days,
    context_overflow_rate,
):
    register_finder(shipped.__name__, shipped)
