"""From what a caller writes as `model` to the version that answers."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from authz.configuration.snapshot import Snapshot
from authz.policies.enforcement import load_policies
from authz.policies.engine import Policy
from integrations.connections.connection import Connection, connection_of
from integrations.connections.policies import INTEGRATION
from intmod_site.api.errors import Conflict, FieldError, NotFound, ValidationFailed
from registry.catalog.policies import MODEL_VERSION
from registry.catalog.rates import RateCard, own_rates
from registry.models import ModelAlias, ModelVersion, Route, TaskDefault
from registry.models.catalog import ModelVersionQuerySet

DEFAULT_ALIAS = "default"
DEFAULT_MAX_TOKENS = 256
DEFAULT_MAX_TOKENS_LIMIT = 4096


@dataclass(frozen=True, slots=True)
class FallbackEdge:
    """Who answers in a version's place, and after which kinds of failure."""

    reference: str
    on: frozenset[str]


@dataclass(frozen=True, slots=True)
class Target:
    """A version, as far as calling it needs to know; immutable and free of the database."""

    version_id: UUID
    model_id: str
    model: str
    number: int
    provider: str
    provider_model: str
    tasks: frozenset[str]
    parameters: dict[str, Any]
    max_tokens_limit: int
    rates: RateCard | None
    logs_bodies: bool
    is_callable: bool
    connection: Connection | None = None
    fallbacks: tuple[FallbackEdge, ...] = ()
    cache_ttl_s: int = 0
    policies: tuple[Policy, ...] = ()
    connection_policies: tuple[Policy, ...] = ()


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """One target of a route."""

    reference: str
    weight: float
    order: int


@dataclass(frozen=True, slots=True)
class RouteTargets:
    """A route, as far as calling it needs to know."""

    name: str
    strategy: str
    entries: tuple[RouteEntry, ...]


def find_route(*, snapshot: Snapshot, project_id: UUID, reference: str) -> RouteTargets | None:
    """Give the route of this name, unless the name is a version's model_id too."""
    return snapshot.get(
        ("route", project_id, reference), lambda: _load_route(project_id, reference)
    )


def resolve(*, snapshot: Snapshot, project_id: UUID, reference: str | None, task: str) -> Target:
    """Give the version that answers a call.

    Precedence: a version's model_id; `name@alias`; `name:number`; a bare name, which means its
    alias `default` or else its newest callable version; nothing, which means the project's
    default for the task.

    Args:
        snapshot: What is remembered of the configuration.
        project_id: The caller's project.
        reference: What the caller wrote.
        task: What the version must be able to do.

    Raises:
        NotFound: Nothing is called that in this project.
        Conflict: The version is deactivated or not ready.
        ValidationFailed: The version cannot do the task, or there is no default for it.
    """
    if reference is None:
        target = snapshot.get(
            ("default", project_id, task), lambda: _load_default(project_id, task)
        )
        if target is None:
            raise ValidationFailed.of(
                "model", f"This project has no default model for {task}; name one.", code="required"
            )
    else:
        target = snapshot.get(
            ("model", project_id, reference), lambda: _load(project_id, reference)
        )
        if target is None:
            raise NotFound(
                f"There is no model {reference!a} in this project.",
                code="model_not_found",
                fields=(
                    FieldError(
                        "/model", "model_not_found", "There is no such model in this project."
                    ),
                ),
            )
    _check(target, task)
    return target


def _check(target: Target, task: str) -> None:
    if not target.is_callable:
        raise Conflict(f"{target.model}:{target.number} is not active.", code="model_inactive")
    if task not in target.tasks:
        able = ", ".join(sorted(target.tasks)) or "nothing"
        raise ValidationFailed(
            f"model: {target.model}:{target.number} cannot {task}; it can {able}.",
            code="task_not_supported",
            fields=(FieldError("/model", "task_not_supported", f"It cannot {task}."),),
        )


def _load_route(project_id: UUID, name: str) -> RouteTargets | None:
    row = Route.objects.in_project(project_id).filter(name=name).first()
    if row is None or _versions(project_id).filter(identifier=name).exists():
        return None
    return RouteTargets(
        name=row.name,
        strategy=row.strategy,
        entries=tuple(
            RouteEntry(target["model"], target.get("weight", 1), target.get("order", 0))
            for target in row.targets
        ),
    )


def _load_default(project_id: UUID, task: str) -> Target | None:
    name = (
        TaskDefault.objects.in_project(project_id)
        .filter(task=task, model__deleted_at=None)
        .values_list("model__name", flat=True)
        .first()
    )
    return _load(project_id, name) if name else None


def _versions(project_id: UUID) -> ModelVersionQuerySet:
    versions = ModelVersion.objects.in_project(project_id).existing()
    return versions.select_related("model", "integration")


def _load(project_id: UUID, reference: str) -> Target | None:
    versions = _versions(project_id)
    version = (
        versions.filter(identifier=reference).first()
        or _by_alias(project_id, reference)
        or _by_number(project_id, reference)
        or _by_name(project_id, reference)
    )
    return _target(version) if version else None


def _by_alias(project_id: UUID, reference: str) -> ModelVersion | None:
    name, separator, alias = reference.rpartition("@")
    return _pointed_at(project_id, name, alias) if separator else None


def _by_number(project_id: UUID, reference: str) -> ModelVersion | None:
    name, separator, number = reference.rpartition(":")
    if not (separator and number.isascii() and number.isdigit() and len(number) <= 9):
        return None
    versions = _versions(project_id)
    return versions.filter(model__name=name, number=int(number)).first()


def _by_name(project_id: UUID, name: str) -> ModelVersion | None:
    versions = _versions(project_id).filter(model__name=name).order_by("-number")
    # A model that exists but has nothing to call answers that its newest version is not active.
    return (
        _pointed_at(project_id, name, DEFAULT_ALIAS)
        or versions.callable().first()
        or versions.first()
    )


def _pointed_at(project_id: UUID, name: str, alias: str) -> ModelVersion | None:
    row = (
        ModelAlias.objects.filter(
            model__project_id=project_id, model__name=name, model__deleted_at=None, name=alias
        )
        .select_related("version__model", "version__integration")
        .first()
    )
    return row.version if row else None


def _target(version: ModelVersion) -> Target:
    return Target(
        version_id=version.pk,
        model_id=version.identifier,
        model=version.model.name,
        number=version.number,
        provider=version.provider,
        provider_model=version.provider_model,
        tasks=frozenset(version.tasks),
        parameters=dict(version.parameters),
        max_tokens_limit=version.limits.get("max_tokens", DEFAULT_MAX_TOKENS_LIMIT),
        rates=own_rates(version.prices),
        cache_ttl_s=version.cache_ttl_s or 0,
        logs_bodies=version.body_logging != ModelVersion.BodyLogging.NONE,
        is_callable=(
            version.is_active
            and version.status == ModelVersion.Status.READY
            and (version.integration is None or version.integration.is_active)
        ),
        connection=connection_of(version.integration) if version.integration else None,
        fallbacks=tuple(
            FallbackEdge(edge["model"], frozenset(edge.get("on", ["error"])))
            for edge in version.fallbacks
        ),
        policies=load_policies(MODEL_VERSION.name, version.pk),
        connection_policies=(
            load_policies(INTEGRATION.name, version.integration.pk) if version.integration else ()
        ),
    )
