"""Searches in MLflow's words, with tokens that name the place to go on from."""

from typing import Any

import msgspec
import orjson

from authz.identity.principal import Principal
from intmod_site.api.errors import ValidationFailed
from registry.catalog.mlflow import requests
from registry.catalog.mlflow.answers import ModelCells, VersionCells
from registry.catalog.mlflow.neighbours import models_json, versions_json
from registry.catalog.search.listing import Listing
from registry.catalog.search.order import MODEL_ORDERS, VERSION_ORDERS, keyset_of
from registry.catalog.search.query import MODELS, VERSIONS
from registry.models import ModelVersion, RegisteredModel

# Defaults and limits of mlflow/store/model_registry.
MODELS_PER_PAGE, MODELS_AT_MOST = 100, 1000
REMEMBERED_SEARCHES, REMEMBERED_BYTES = 50, 200_000
VERSIONS_PER_PAGE, VERSIONS_AT_MOST = 10_000, 200_000

_MODELS = Listing(MODELS, RegisteredModel.objects.existing(), ModelCells._fields)
_VERSIONS = Listing(VERSIONS, ModelVersion.objects.existing(), VersionCells._fields)


def search_models(principal: Principal, asked: requests.Search) -> bytes:
    """Give a page of models, from memory for as long as the configuration's revision stands.

    What models are searched by and shown with changes with the revision only; of versions that is
    not so: their measurements change without it.
    """
    kept: dict[bytes, bytes] = principal.snapshot.get(("mlflow-search", principal.project_id), dict)
    key = msgspec.json.encode(asked)
    body = kept.get(key)
    if body is None:
        body = orjson.dumps(_search_models(principal, asked))
        if len(kept) < REMEMBERED_SEARCHES and len(body) <= REMEMBERED_BYTES:
            kept[key] = body
    return body


def _search_models(principal: Principal, asked: requests.Search) -> Any:
    """Give a page of models, by name unless another order is asked for."""
    page, token = _MODELS.page(
        asked.filter,
        project_id=principal.project_id,
        keyset=keyset_of(",".join(asked.order_by), MODEL_ORDERS, default=("name",)),
        size=_size(asked, MODELS_PER_PAGE, MODELS_AT_MOST),
        token=asked.page_token or None,
    )
    models = [ModelCells._make(row) for row in page]
    return _with_token({"registered_models": models_json(models)}, token)


def search_versions(principal: Principal, asked: requests.Search) -> Any:
    """Give a page of versions, the last changed first unless another order is asked for."""
    default = ("-updated_at", "model__name", "-number")
    page, token = _VERSIONS.page(
        asked.filter,
        project_id=principal.project_id,
        keyset=keyset_of(",".join(asked.order_by), VERSION_ORDERS, default=default),
        size=_size(asked, VERSIONS_PER_PAGE, VERSIONS_AT_MOST),
        token=asked.page_token or None,
    )
    versions = [VersionCells._make(row) for row in page]
    return _with_token({"model_versions": versions_json(versions, principal.project_id)}, token)


def _size(asked: requests.Search, default: int, most: int) -> int:
    size = default if asked.max_results is None else asked.max_results
    if not 1 <= size <= most:
        raise ValidationFailed(f"max_results is a number from 1 to {most}.")
    return size


def _with_token(answer: dict[str, Any], token: str | None) -> dict[str, Any]:
    # Clients go on until there is no token.
    return answer | ({"next_page_token": token} if token else {})
