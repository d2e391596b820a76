"""One model or version as MLflow writes it, by prepared statements: what clients ask most."""

from uuid import UUID

from intmod_site.prepared import Prepared, Row
from registry.catalog.mlflow.answers import (
    ModelCells,
    VersionCells,
    Written,
    model_json,
    version_json,
)
from registry.catalog.mlflow.neighbours import models_json, versions_json
from registry.models import ModelAlias, ModelVersion, RegisteredModel

_MODEL = Prepared(
    lambda project, name: (
        RegisteredModel.objects.existing()
        .order_by()
        .filter(project=project, name=name)
        .values_list(*ModelCells._fields)
    ),
)
_VERSION = Prepared(
    lambda project, name, number: (
        ModelVersion.objects.existing()
        .order_by()
        .filter(project=project, model__project=project, model__name=name, number=number)
        .values_list(*VersionCells._fields)
    ),
)
_POINTED_AT = Prepared(
    lambda project, name, alias: (
        ModelAlias.objects.order_by()
        .filter(model__project=project, model__name=name, model__deleted_at=None, name=alias)
        .values_list(
            *(
                f"version__{name}" if name != "model_id" else "model_id"
                for name in VersionCells._fields
            )
        )
    ),
)


def model_called(project_id: UUID, name: str) -> Written | None:
    """Give a model with its aliases and the newest version of each stage: three statements."""
    found = _MODEL.cells(project=project_id, name=name)
    return models_json([ModelCells._make(found[0])])[0] if found else None


def version_numbered(project_id: UUID, name: str, number: int) -> Written | None:
    """Give a version with its aliases: two statements."""
    found = _VERSION.cells(project=project_id, name=name, number=number)
    return _version(found, project_id)


def version_pointed_at(project_id: UUID, name: str, alias: str) -> Written | None:
    """Give the version that an alias points at, with all of its aliases: two statements."""
    return _version(_POINTED_AT.cells(project=project_id, name=name, alias=alias), project_id)


def created_model(model: RegisteredModel) -> Written:
    """Give a model that was just created: it has neither versions nor aliases yet."""
    return model_json(ModelCells(*(getattr(model, name) for name in ModelCells._fields)), [], [])


def created_version(version: ModelVersion) -> Written:
    """Give a version that was just created: nothing points at it yet."""
    cells = VersionCells._make(
        version.model.name if name == "model__name" else getattr(version, name)
        for name in VersionCells._fields
    )
    return version_json(cells, [])


def _version(found: list[Row], project_id: UUID) -> Written | None:
    if not found:
        return None
    return versions_json([VersionCells._make(found[0])], project_id)[0]
