"""Taking over a manifest: all of it or nothing, and once, however often it is imported."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.dateparse import parse_datetime

from authz.audit.actor import Actor
from authz.audit.record import record_change, state_of
from authz.configuration.revision import move_revision
from authz.models import Project
from integrations.models import Integration
from intmod_site.api.errors import ApiError, Conflict, ValidationFailed
from registry.catalog.aliases import set_alias
from registry.catalog.search.query import LATEST
from registry.catalog.services import create_model, locked_model
from registry.catalog.tag_rows import write_tag_rows
from registry.catalog.transfer.manifest import FORMAT, version_columns
from registry.catalog.version_fields import check_version
from registry.models import ModelVersion, RegisteredModel, VersionMetric

MODEL_KEYS = {
    "name", "model_type", "description", "tags", "last_number", "created_at", "updated_at",
    "aliases", "versions",
}  # fmt: skip
MAX_NUMBER = 2**31 - 1


@dataclass
class Imported:
    """What an import did, or would do."""

    created: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)


def import_manifest(
    *,
    actor: Actor,
    project: Project,
    manifest: Any,
    dry_run: bool = False,
    seen: Any = iter,
) -> Imported:
    """Create what the manifest has and the project has not, with its numbers and moments.

    Args:
        actor: Who imports.
        project: Where to.
        manifest: As `export_manifest` gives it.
        dry_run: Do everything, and take it back.
        seen: Wraps the models while they are taken over, for a progress bar.

    Raises:
        ValidationFailed: It is no manifest, or something in it cannot be; nothing was changed.
        Conflict: A version of this number is there and differs; nothing was changed.
    """
    models = _models(manifest)
    done = Imported()
    with transaction.atomic():
        for wanted in seen(models):
            try:
                _import_model(actor, project, wanted, done)
            except ValidationError as error:
                raise ValidationFailed(f"{_name(wanted)}: {'; '.join(error.messages)}") from None
            except ApiError as error:
                raise type(error)(f"{_name(wanted)}: {error.message}") from None
        if dry_run:
            transaction.set_rollback(True)
    return done


def _models(manifest: Any) -> list[Any]:
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ValidationFailed(f"This is no manifest: its format would be {FORMAT}.")
    models = manifest.get("models")
    if not isinstance(models, list):
        raise ValidationFailed("A manifest has a list of models.")
    return models


def _name(wanted: Any) -> str:
    return str(wanted.get("name", "?"))[:200] if isinstance(wanted, dict) else "?"


def _import_model(actor: Actor, project: Project, wanted: Any, done: Imported) -> None:
    if not isinstance(wanted, dict) or set(wanted) - MODEL_KEYS or "name" not in wanted:
        raise ValidationFailed(f"A model is an object of: {', '.join(sorted(MODEL_KEYS))}.")
    versions = wanted.get("versions", [])
    if not isinstance(versions, list) or not all(isinstance(row, dict) for row in versions):
        raise ValidationFailed("versions: A list of objects.")
    found = RegisteredModel.objects.in_project(project.pk).existing().filter(name=wanted["name"])
    model, is_new = found.first(), False
    if model is None:
        model, is_new = _create_model(actor, project, wanted), True
        done.created.append(model.name)
    model = locked_model(model)
    before = len(done.created)
    for row in versions:
        _import_version(actor, model, row, done)
    _import_aliases(actor, model, wanted.get("aliases", {}))
    if is_new or len(done.created) > before:
        _finish(model, wanted, is_new=is_new)
    else:
        done.unchanged.append(model.name)


def _create_model(actor: Actor, project: Project, wanted: dict[str, Any]) -> RegisteredModel:
    for name in ("name", "model_type", "description"):
        if not isinstance(wanted.get(name, ""), str):
            raise ValidationFailed(f"{name}: Text.")
    return create_model(
        actor=actor,
        project=project,
        name=wanted["name"],
        model_type=wanted.get("model_type", "other"),
        description=wanted.get("description", ""),
        tags=wanted.get("tags", {}),
    )


def _finish(model: RegisteredModel, wanted: dict[str, Any], *, is_new: bool) -> None:
    """Set the counter, and the moments that saving set anew."""
    numbers = model.versions.values_list("number", flat=True)
    last = max([_number(wanted.get("last_number", 0)), model.last_number, *numbers])
    moments = (
        {name: _moment(wanted[name]) for name in ("created_at", "updated_at") if name in wanted}
        if is_new
        else {}
    )
    RegisteredModel.objects.filter(pk=model.pk).update(last_number=last, **moments)


def _import_version(
    actor: Actor, model: RegisteredModel, wanted: dict[str, Any], done: Imported
) -> None:
    number = _number(wanted.get("number"), least=1)
    columns = version_columns()
    if unknown := sorted(set(wanted) - {*columns, "model_id", "integration"}):
        raise ValidationFailed(f"version {number}: {unknown[0]} is no field of a version.")
    version = _built(model, number, wanted, columns)
    existing = model.versions.filter(number=number).select_related("integration").first()
    if existing is not None:
        compared = [name for name in columns if name in wanted and name != "updated_at"]
        differing = [name for name in compared if getattr(existing, name) != getattr(version, name)]
        if differing or existing.integration_id != version.integration_id:
            raise Conflict(
                f"version {number} is there with another {', '.join(differing) or 'integration'}."
            )
        done.unchanged.append(f"{model.name}:{number}")
        return
    taken = ModelVersion.objects.filter(project=model.project, identifier=version.identifier)
    if number <= model.last_number:
        raise Conflict(f"version {number} was deleted here; its number is not given again.")
    if taken.exists():
        raise Conflict(f"the model_id {version.identifier} is taken.")
    check_version(version)
    moments = {name: getattr(version, name) for name in ("created_at", "updated_at")}
    version.save(force_insert=True)
    ModelVersion.objects.filter(pk=version.pk).update(
        **{name: moment for name, moment in moments.items() if moment is not None}
    )
    write_tag_rows(version, fresh=True)
    _write_metrics(version)
    move_revision()
    record_change(
        actor=actor,
        action="modelversion.import",
        obj=version,
        project=model.project,
        after=state_of(version),
    )
    done.created.append(str(version))


def _built(
    model: RegisteredModel, number: int, wanted: dict[str, Any], columns: list[str]
) -> ModelVersion:
    version = ModelVersion(project=model.project, model=model, number=number)
    version.identifier = wanted.get("model_id") or f"{model.name.replace(' ', '-')}-{number}"
    for name in columns:
        if name not in wanted or name == "number":
            continue
        value = wanted[name]
        if name in {"created_at", "updated_at"}:
            value = _moment(value)
        else:
            column: Any = ModelVersion._meta.get_field(name)
            value = column.to_python(value)
        setattr(version, name, value)
    if wanted.get("integration") is not None:
        version.integration = Integration.objects.filter(
            project=model.project, name=str(wanted["integration"])
        ).first()
        if version.integration is None:
            raise ValidationFailed(f"there is no integration called {wanted['integration']!a}.")
    return version


def _import_aliases(actor: Actor, model: RegisteredModel, aliases: Any) -> None:
    if not isinstance(aliases, dict):
        raise ValidationFailed("aliases: An object of numbers by name.")
    for name, number in aliases.items():
        set_alias(
            actor=actor, model=model, name=str(name), version=_number(number, least=1),
            reason="imported",
        )  # fmt: skip


def _write_metrics(version: ModelVersion) -> None:
    metrics = version.performance_metrics
    if not isinstance(metrics, dict) or not all(
        isinstance(value, int | float) and not isinstance(value, bool) for value in metrics.values()
    ):
        raise ValidationFailed("performance_metrics: An object of numbers.")
    VersionMetric.objects.bulk_create(
        VersionMetric(
            version=version, metric=str(name)[:100], aggregation=LATEST, value=value,
            computed_at=version.updated_at,
        )
        for name, value in metrics.items()
    )  # fmt: skip


def _number(value: Any, *, least: int = 0) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and least <= value <= MAX_NUMBER:
        return value
    raise ValidationFailed(f"{value!r:.50} is not a number from {least} to {MAX_NUMBER}.")


def _moment(value: Any) -> datetime:
    # YAML reads unquoted moments by itself.
    moment = value if isinstance(value, datetime) else None
    if isinstance(value, str):
        try:
            moment = parse_datetime(value)
        except ValueError:
            moment = None
    if moment is None:
        raise ValidationFailed(f"{value!r:.50} is not a moment.")
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
