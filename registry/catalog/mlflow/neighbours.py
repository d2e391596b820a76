"""What answers say of models and versions besides their own rows: newest versions, aliases.

By hand: the ORM has no join with a subquery, and would take longer to write these than the
database to run them.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from intmod_site.database import adapted
from intmod_site.prepared import Row, cells
from registry.catalog.mlflow.answers import (
    ModelCells,
    VersionCells,
    Written,
    model_json,
    version_json,
)
from registry.models import ModelAlias, ModelVersion, RegisteredModel

LISTED_AT_MOST = 500
"""More ids than this are not named one by one: databases limit how many a statement may have."""

_MODELS, _VERSIONS, _ALIASES = (
    f'"{kind._meta.db_table}"' for kind in (RegisteredModel, ModelVersion, ModelAlias)
)
_COLUMNS = ", ".join(
    "model.name" if name == "model__name" else f"version.{name}" for name in VersionCells._fields
)
# ruff: noqa: S608 -- our own names


def models_json(models: Sequence[ModelCells]) -> list[Written]:
    """Write models, with their aliases and the newest version of each stage: two statements.

    What never had a version is not asked for: it has neither.
    """
    ids = [model.id for model in models if model.last_number]
    pointing = _aliases("alias.model_id", ids)
    aliases = defaultdict(list)
    for model_id, name, number in pointing:
        aliases[model_id].append((name, number))
    latest = defaultdict(list)
    newest = newest_of_stages(ids)
    for version, written in zip(newest, _versions_json(newest, pointing), strict=True):
        latest[version.model_id].append(written)
    return [model_json(model, latest[model.id], aliases[model.id]) for model in models]


def versions_json(versions: Sequence[VersionCells], project_id: UUID) -> list[Written]:
    """Write versions of a project, with the aliases that point at them: one statement."""
    models = list({version.model_id for version in versions})
    if len(models) <= LISTED_AT_MOST:
        pointing = _aliases("alias.model_id", models)
    else:
        pointing = _aliases("version.project_id", [adapted(project_id)])
    return _versions_json(versions, pointing)


def newest_of_stages(model_ids: Sequence[Any]) -> list[VersionCells]:
    """Give the newest version of each stage of each model, the newest first: one statement."""
    if not model_ids:
        return []
    sql = (
        f"SELECT {_COLUMNS} FROM (SELECT model_id, MAX(number) AS number FROM {_VERSIONS} "
        f"WHERE model_id IN ({_places(model_ids)}) GROUP BY model_id, stage) newest "
        f"JOIN {_VERSIONS} version "
        "ON version.model_id = newest.model_id AND version.number = newest.number "
        f"JOIN {_MODELS} model ON model.id = version.model_id ORDER BY version.number DESC"
    )
    return [VersionCells._make(row) for row in cells(sql, model_ids)]


def _aliases(column: str, values: Sequence[Any]) -> list[Row]:
    """Give model, name and number of the aliases of the models or of the project."""
    if not values:
        return []
    return cells(
        f"SELECT alias.model_id, alias.name, version.number FROM {_ALIASES} alias "
        f"JOIN {_VERSIONS} version ON version.id = alias.version_id "
        f"WHERE {column} IN ({_places(values)}) ORDER BY alias.model_id, alias.name",
        values,
    )


def _versions_json(versions: Sequence[VersionCells], pointing: Sequence[Row]) -> list[Written]:
    names = defaultdict(list)
    for model_id, name, number in pointing:
        names[model_id, number].append(name)
    return [
        version_json(version, names.get((version.model_id, version.number), []))
        for version in versions
    ]


def _places(values: Sequence[Any]) -> str:
    return ", ".join(["%s"] * len(values))
