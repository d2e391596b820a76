"""Models and versions as MLflow writes them, from cells as the driver has them: lists are long."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

Written = dict[str, Any]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = _EPOCH.replace(tzinfo=None)


class ModelCells(NamedTuple):
    """What of a model is written; its names are those of the ORM."""

    id: UUID | str
    name: str
    description: str
    tags: dict[str, str] | str
    last_number: int
    created_at: datetime
    updated_at: datetime


class VersionCells(NamedTuple):
    """What of a version is written."""

    model_id: UUID | str
    model__name: str
    number: int
    description: str
    source: str
    run_id: str
    run_link: str
    status: str
    status_message: str
    stage: str
    tags: dict[str, str] | str
    created_by: str
    mlflow_model_id: str
    created_at: datetime
    updated_at: datetime


def model_json(
    model: ModelCells, latest_versions: list[Written], aliases: Iterable[tuple[str, int]]
) -> Written:
    """Write one model; aliases are names and numbers."""
    return {
        "name": model.name,
        "creation_timestamp": milliseconds(model.created_at),
        "last_updated_timestamp": milliseconds(model.updated_at),
        "description": model.description,
        "latest_versions": latest_versions,
        "tags": _tags(model.tags),
        "aliases": [{"alias": alias, "version": str(number)} for alias, number in aliases],
    }


def version_json(version: VersionCells, aliases: list[str]) -> Written:
    """Write one version."""
    return {
        "name": version.model__name,
        "version": str(version.number),
        "creation_timestamp": milliseconds(version.created_at),
        "last_updated_timestamp": milliseconds(version.updated_at),
        "user_id": version.created_by,
        "current_stage": version.stage,
        "description": version.description,
        "source": version.source,
        "run_id": version.run_id,
        "run_link": version.run_link,
        "status": version.status,
        "status_message": version.status_message,
        "tags": _tags(version.tags),
        "aliases": aliases,
        "model_id": version.mlflow_model_id,
    }


def milliseconds(moment: datetime) -> int:
    """Give a moment as MLflow counts, exactly; SQLite's driver has it in UTC without saying so."""
    since = moment - (_EPOCH if moment.tzinfo else _NAIVE_EPOCH)
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def _tags(tags: dict[str, str] | str) -> list[Written]:
    if isinstance(tags, str):
        tags = orjson.loads(tags)
    return [{"key": key, "value": value} for key, value in tags.items()]  # type: ignore[union-attr]
