"""MLflow's model versions, through the catalog's own services."""

from typing import Any

from authz.identity.principal import Principal
from registry.catalog import services
from registry.catalog import versions as catalog
from registry.catalog.mlflow import reading, requests
from registry.catalog.mlflow.models import remembered
from registry.catalog.mlflow.stages import transition
from registry.models import ModelVersion

PROVIDER = "mlflow"
"""Who made it; such a version is called once somebody gives it a provider that can be."""


def create(principal: Principal, asked: requests.CreateVersion) -> Any:
    """Give a model its next version; what MLflow calls its model id is kept as it came."""
    version = catalog.create_version(
        actor=principal.actor,
        model=services.model_named(project=principal.project, name=asked.name),
        provider=PROVIDER,
        provider_model=asked.name[:200],
        source=asked.source,
        run_id=asked.run_id,
        run_link=asked.run_link,
        mlflow_model_id=asked.model_id,
        description=asked.description,
        tags=requests.tags_of(asked.tags),
    )
    return {"model_version": reading.created_version(version)}


def get(principal: Principal, asked: requests.OfVersion) -> bytes:
    """Give a version, from memory for as long as the configuration's revision stands."""
    key = ("mlflow-version", asked.name, str(asked.version))
    return remembered(principal, key, lambda: _numbered(principal, asked))


def update(principal: Principal, asked: requests.UpdateVersion) -> Any:
    """Change a version's description."""
    version = _version(principal, asked)
    if asked.description is not None:
        changes = {"description": asked.description}
        catalog.update_version(actor=principal.actor, version=version, changes=changes)
    return _answer(version)


def delete(principal: Principal, asked: requests.OfVersion) -> Any:
    """Delete a version that no alias points at."""
    catalog.delete_version(actor=principal.actor, version=_version(principal, asked))
    return {}


def transition_stage(principal: Principal, asked: requests.TransitionStage) -> Any:
    """Move a version to a stage."""
    version = transition(
        actor=principal.actor,
        version=_version(principal, asked),
        stage=asked.stage,
        archive=asked.archive_existing_versions,
    )
    return _answer(version)


def download_uri(principal: Principal, asked: requests.OfVersion) -> Any:
    """Say where the version's files are."""
    return {"artifact_uri": _version(principal, asked).source}


def set_tag(principal: Principal, asked: requests.SetVersionTag) -> Any:
    """Set a tag of a version."""
    version = _version(principal, asked)
    catalog.change_tags(actor=principal.actor, version=version, tags={asked.key: asked.value})
    return {}


def delete_tag(principal: Principal, asked: requests.DeleteVersionTag) -> Any:
    """Remove a tag of a version."""
    version = _version(principal, asked)
    catalog.change_tags(actor=principal.actor, version=version, tags={asked.key: None})
    return {}


def _version(principal: Principal, asked: requests.OfVersion) -> ModelVersion:
    return catalog.version_numbered(
        project=principal.project, model_name=asked.name, number=int(asked.version)
    )


def _numbered(principal: Principal, asked: requests.OfVersion) -> Any:
    number = int(asked.version)
    found = reading.version_numbered(principal.project_id, asked.name, number)
    if found is None:
        raise catalog.no_such_version(asked.name, number)
    return {"model_version": found}


def _answer(version: ModelVersion) -> Any:
    found = reading.version_numbered(version.project_id, version.model.name, version.number)
    return {"model_version": found}
