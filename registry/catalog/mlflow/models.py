"""MLflow's registered models and aliases, through the catalog's own services."""

from typing import Any

import orjson

from authz.identity.principal import Principal
from intmod_site.api.errors import NotFound, ValidationFailed
from intmod_site.database import adapted
from registry.catalog import aliases, services
from registry.catalog.mlflow import reading, requests
from registry.catalog.mlflow.neighbours import newest_of_stages, versions_json
from registry.catalog.mlflow.stages import check_stage
from registry.models import RegisteredModel

MODEL_TYPE = "other"
"""What a model is called for is not known to MLflow; it can be changed later."""
REMEMBERED_BYTES = 16_384


def create(principal: Principal, asked: requests.CreateModel) -> Any:
    """Create a model."""
    model = services.create_model(
        actor=principal.actor,
        project=principal.project,
        name=asked.name,
        model_type=MODEL_TYPE,
        description=asked.description,
        tags=requests.tags_of(asked.tags),
    )
    return {"registered_model": reading.created_model(model)}


def get(principal: Principal, asked: requests.OfModel) -> bytes:
    """Give a model, from memory for as long as the configuration's revision stands."""
    return remembered(
        principal, ("mlflow-model", asked.name), lambda: _answer(principal, asked.name)
    )


def rename(principal: Principal, asked: requests.RenameModel) -> Any:
    """Give a model another name."""
    model = services.rename_model(
        actor=principal.actor, model=_model(principal, asked), name=asked.new_name
    )
    return _answer(principal, model.name)


def update(principal: Principal, asked: requests.UpdateModel) -> Any:
    """Change a model's description."""
    model = _model(principal, asked)
    if asked.description is not None:
        changes = {"description": asked.description}
        services.update_model(actor=principal.actor, model=model, changes=changes)
    return _answer(principal, asked.name)


def delete(principal: Principal, asked: requests.OfModel) -> Any:
    """Delete a model."""
    services.delete_model(actor=principal.actor, model=_model(principal, asked))
    return {}


def set_tag(principal: Principal, asked: requests.SetModelTag) -> Any:
    """Set a tag of a model."""
    services.change_tags(
        actor=principal.actor, model=_model(principal, asked), tags={asked.key: asked.value}
    )
    return {}


def delete_tag(principal: Principal, asked: requests.DeleteModelTag) -> Any:
    """Remove a tag of a model."""
    services.change_tags(
        actor=principal.actor, model=_model(principal, asked), tags={asked.key: None}
    )
    return {}


def latest_versions(principal: Principal, asked: requests.LatestVersions) -> Any:
    """Give the newest version of each stage, or of the stages asked for."""
    stages = {check_stage(stage) for stage in asked.stages}
    newest = newest_of_stages([adapted(_model(principal, asked).pk)])
    chosen = [version for version in newest if not stages or version.stage in stages]
    return {"model_versions": versions_json(chosen, principal.project_id)}


def set_alias(principal: Principal, asked: requests.SetAlias) -> Any:
    """Point an alias at a version."""
    aliases.set_alias(
        actor=principal.actor,
        model=_model(principal, asked),
        name=asked.alias,
        version=int(asked.version),
    )
    return {}


def delete_alias(principal: Principal, asked: requests.OfAlias) -> Any:
    """Remove an alias; one that is not there is no error to MLflow."""
    model = _model(principal, asked)
    try:
        alias = aliases.alias_named(model=model, name=asked.alias)
        aliases.delete_alias(actor=principal.actor, alias=alias)
    except NotFound:
        pass
    return {}


def get_alias(principal: Principal, asked: requests.OfAlias) -> bytes:
    """Give the version that an alias points at."""
    return remembered(
        principal, ("mlflow-alias", asked.name, asked.alias), lambda: _pointed_at(principal, asked)
    )


def remembered(principal: Principal, key: tuple[str, ...], load: Any) -> bytes:
    """Give an answer's bytes from the snapshot of the configuration; longer ones are not kept.

    Every change of the catalog moves the revision, so what is remembered is what is there.
    """
    whole = (*key, principal.project_id)
    kept: list[bytes] = principal.snapshot.get(whole, list)
    if kept:
        return kept[0]
    body = orjson.dumps(load())
    if len(body) <= REMEMBERED_BYTES:
        kept.append(body)
    return body


def _model(principal: Principal, asked: requests.OfModel) -> RegisteredModel:
    return services.model_named(project=principal.project, name=asked.name)


def _answer(principal: Principal, name: str) -> Any:
    found = reading.model_called(principal.project_id, name)
    if found is None:
        raise NotFound(f"Registered Model with name={name} not found")
    return {"registered_model": found}


def _pointed_at(principal: Principal, asked: requests.OfAlias) -> Any:
    found = reading.version_pointed_at(principal.project_id, asked.name, asked.alias)
    if found is None:
        _model(principal, asked)
        # To MLflow a missing alias is a bad parameter.
        raise ValidationFailed(f"Registered model alias {asked.alias} not found.")
    return {"model_version": found}
