"""The manifest: models, versions and aliases of a project, without ids or secrets.

Exporting, importing elsewhere and exporting there gives the same bytes.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any

import yaml
from django.db.models import Prefetch

from authz.models import Project
from registry.models import ModelVersion, RegisteredModel

FORMAT = "intmod.models/1"
NOT_CARRIED = {"id", "project", "model", "integration", "identifier"}
"""Columns of a version that mean nothing elsewhere, or stand under another name."""


def version_columns() -> list[str]:
    """Give the columns of a version that are carried as they are; new ones come along."""
    return [
        field.name for field in ModelVersion._meta.concrete_fields if field.name not in NOT_CARRIED
    ]


def export_manifest(
    project: Project, *, names: Iterable[str] = (), seen: Any = iter
) -> dict[str, Any]:
    """Give the project's models.

    Args:
        project: Whose.
        names: Only these; none means all.
        seen: Wraps the models while they are read, for a progress bar.
    """
    rows = RegisteredModel.objects.in_project(project.pk).existing().order_by("name")
    chosen = list(names)
    if chosen:
        rows = rows.filter(name__in=chosen)
    versions = ModelVersion.objects.order_by("number").select_related("integration")
    rows = rows.prefetch_related(Prefetch("versions", versions), "aliases__version")
    return {"format": FORMAT, "models": [_model(row) for row in seen(list(rows))]}


def dump_manifest(manifest: dict[str, Any], *, as_json: bool) -> str:
    """Write a manifest."""
    if as_json:
        return json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    return yaml.dump(manifest, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        """Write equal values out each time; anchors are hard to read."""
        return True


def _model(row: RegisteredModel) -> dict[str, Any]:
    aliases = {alias.name: alias.version.number for alias in row.aliases.all()}
    return {
        "name": row.name,
        "model_type": row.model_type,
        "description": row.description,
        "tags": _plain(row.tags),
        "last_number": row.last_number,
        "created_at": _plain(row.created_at),
        "updated_at": _plain(row.updated_at),
        "aliases": dict(sorted(aliases.items())),
        "versions": [dict(_version(version)) for version in row.versions.all()],
    }


def _version(version: ModelVersion) -> Iterator[tuple[str, Any]]:
    yield "model_id", version.identifier
    yield "integration", version.integration.name if version.integration else None
    for name in version_columns():
        yield name, _plain(getattr(version, name))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dict):
        # PostgreSQL keeps no order of keys.
        return {key: _plain(inner) for key, inner in sorted(value.items())}
    # A choice is a str of its own class, which YAML would not write.
    return str(value) if isinstance(value, str) else value
