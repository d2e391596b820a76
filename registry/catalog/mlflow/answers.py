"""Models and versions as MLflow writes them, read without instances: lists are long."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Max

from registry.models import ModelAlias, ModelVersion

MODEL_FIELDS = ("id", "name", "description", "tags", "created_at", "updated_at")
VERSION_FIELDS = (
    "id", "model_id", "model__name", "number", "description", "source", "run_id", "run_link",
    "status", "status_message", "stage", "tags", "created_by", "mlflow_model_id",
    "created_at", "updated_at",
)  # fmt: skip
LISTED_AT_MOST = 500
"""More ids than this are not named one by one: databases limit how many a statement may have."""

Row = dict[str, Any]


def models_json(rows: list[Row]) -> list[Row]:
    """Write models, with their aliases and the newest version of each stage: three queries."""
    ids = [row["id"] for row in rows]
    latest = _latest_versions(ids)
    aliases: dict[UUID, list[Row]] = defaultdict(list)
    for model_id, name, number in (
        ModelAlias.objects.filter(model__in=ids)
        .order_by("name")
        .values_list("model_id", "name", "version__number")
    ):
        aliases[model_id].append({"alias": name, "version": str(number)})
    return [model_json(row, latest[row["id"]], aliases[row["id"]]) for row in rows]


def model_json(row: Row, latest_versions: list[Row], aliases: list[Row]) -> Row:
    """Write one model."""
    return {
        "name": row["name"],
        "creation_timestamp": milliseconds(row["created_at"]),
        "last_updated_timestamp": milliseconds(row["updated_at"]),
        "description": row["description"],
        "latest_versions": latest_versions,
        "tags": _tags(row["tags"]),
        "aliases": aliases,
    }


def versions_json(rows: list[Row]) -> list[Row]:
    """Write versions, with the aliases that point at them: one query more."""
    aliases = _aliases_of(rows)
    return [version_json(row, aliases.get(row["id"], [])) for row in rows]


def version_json(row: Row, aliases: list[str]) -> Row:
    """Write one version."""
    return {
        "name": row["model__name"],
        "version": str(row["number"]),
        "creation_timestamp": milliseconds(row["created_at"]),
        "last_updated_timestamp": milliseconds(row["updated_at"]),
        "user_id": row["created_by"],
        "current_stage": row["stage"],
        "description": row["description"],
        "source": row["source"],
        "run_id": row["run_id"],
        "run_link": row["run_link"],
        "status": row["status"],
        "status_message": row["status_message"],
        "tags": _tags(row["tags"]),
        "aliases": aliases,
        "model_id": row["mlflow_model_id"],
    }


def milliseconds(moment: datetime) -> int:
    """Give a moment as MLflow counts, exactly."""
    seconds, micros = int(moment.timestamp() // 1), moment.microsecond
    return seconds * 1000 + micros // 1000


def newest_of_stages(model_ids: Iterable[UUID]) -> list[Row]:
    """Give the newest version of each stage of each model."""
    numbers = (
        ModelVersion.objects.filter(model__in=list(model_ids))
        .order_by()
        .values("model", "stage")
        .annotate(newest=Max("number"))
    )
    wanted = {(row["model"], row["newest"]) for row in numbers}
    rows = ModelVersion.objects.filter(
        model__in={model for model, _ in wanted}, number__in={number for _, number in wanted}
    )
    return [
        row
        for row in rows.order_by("-number").values(*VERSION_FIELDS)
        if (row["model_id"], row["number"]) in wanted
    ]


def _latest_versions(model_ids: list[UUID]) -> dict[UUID, list[Row]]:
    found: dict[UUID, list[Row]] = defaultdict(list)
    rows = newest_of_stages(model_ids)
    for row, written in zip(rows, versions_json(rows), strict=True):
        found[row["model_id"]].append(written)
    return found


def _aliases_of(rows: list[Row]) -> dict[UUID, list[str]]:
    if not rows:
        return {}
    models = {row["model_id"] for row in rows}
    pointing = ModelAlias.objects.order_by("name").values_list("version_id", "name")
    if len(models) <= LISTED_AT_MOST:
        pointing = pointing.filter(model__in=models)
    else:
        first = ModelVersion.objects.filter(pk=rows[0]["id"]).values("project_id")
        pointing = pointing.filter(model__project_id__in=first)
    found: dict[UUID, list[str]] = defaultdict(list)
    for version_id, name in pointing:
        found[version_id].append(name)
    return found


def _tags(tags: dict[str, str]) -> list[Row]:
    return [{"key": key, "value": value} for key, value in tags.items()]
