"""One model or version as MLflow writes it, by prepared statements: what clients ask most."""

from collections import defaultdict
from typing import Any
from uuid import UUID

from django.db.models import Max

from intmod_site.prepared import Prepared
from registry.catalog.mlflow.answers import (
    MODEL_FIELDS,
    VERSION_FIELDS,
    Row,
    model_json,
    version_json,
)
from registry.models import ModelAlias, ModelVersion, RegisteredModel

_MODEL = Prepared(
    lambda project, name: (
        RegisteredModel.objects.existing()
        .order_by()
        .filter(project=project, name=name)
        .values_list(*MODEL_FIELDS)
    ),
    project=UUID,
    name=str,
)
_ALIASES = Prepared(
    lambda model: (
        ModelAlias.objects.filter(model=model)
        .order_by("name")
        .values_list("name", "version__number")
    ),
    model=UUID,
)
_NEWEST_OF_STAGES = Prepared(
    lambda model: (
        ModelVersion.objects.filter(
            model=model,
            number__in=ModelVersion.objects.filter(model=model)
            .order_by()
            .values("stage")
            .annotate(newest=Max("number"))
            .values("newest"),
        )
        .order_by("-number")
        .values_list(*VERSION_FIELDS)
    ),
    model=UUID,
)
_VERSION = Prepared(
    lambda project, name, number: (
        ModelVersion.objects.existing()
        .order_by()
        .filter(project=project, model__project=project, model__name=name, number=number)
        .values_list(*VERSION_FIELDS)
    ),
    project=UUID,
    name=str,
    number=int,
)
_ALIASES_OF_VERSION = Prepared(
    lambda version: ModelAlias.objects.filter(version=version).order_by("name").values_list("name"),
    version=UUID,
)
_POINTED_AT = Prepared(
    lambda project, name, alias: (
        ModelAlias.objects.order_by()
        .filter(model__project=project, model__name=name, model__deleted_at=None, name=alias)
        .values_list(
            *(f"version__{name}" if name != "model_id" else "model_id" for name in VERSION_FIELDS)
        )
    ),
    project=UUID,
    name=str,
    alias=str,
)


def model_called(project_id: UUID, name: str) -> Row | None:
    """Give a model with its aliases and the newest version of each stage: three statements."""
    found = _MODEL.first(project=project_id, name=name)
    if found is None:
        return None
    row = dict(zip(MODEL_FIELDS, found, strict=True))
    pairs = _ALIASES.rows(model=row["id"])
    by_number: dict[int, list[str]] = defaultdict(list)
    for alias, number in pairs:
        by_number[number].append(alias)
    newest = [
        dict(zip(VERSION_FIELDS, version, strict=True))
        for version in _NEWEST_OF_STAGES.rows(model=row["id"])
    ]
    return model_json(
        row,
        [version_json(version, by_number[version["number"]]) for version in newest],
        [{"alias": alias, "version": str(number)} for alias, number in pairs],
    )


def version_numbered(project_id: UUID, name: str, number: int) -> Row | None:
    """Give a version with its aliases: two statements."""
    return _version(_VERSION.first(project=project_id, name=name, number=number))


def version_pointed_at(project_id: UUID, name: str, alias: str) -> Row | None:
    """Give the version that an alias points at, with all of its aliases: two statements."""
    return _version(_POINTED_AT.first(project=project_id, name=name, alias=alias))


def created_model(model: RegisteredModel) -> Row:
    """Give a model that was just created: it has neither versions nor aliases yet."""
    return model_json({name: getattr(model, name) for name in MODEL_FIELDS}, [], [])


def created_version(version: ModelVersion) -> Row:
    """Give a version that was just created: nothing points at it yet."""
    row = {name: getattr(version, name, None) for name in VERSION_FIELDS}
    return version_json(row | {"model__name": version.model.name}, [])


def _version(found: tuple[Any, ...] | None) -> Row | None:
    if found is None:
        return None
    row = dict(zip(VERSION_FIELDS, found, strict=True))
    aliases = _ALIASES_OF_VERSION.rows(version=row["id"])
    return version_json(row, [alias for (alias,) in aliases])
