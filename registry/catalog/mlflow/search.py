"""Searches in MLflow's words, with tokens that name the place to go on from."""

from typing import Any

import msgspec
import orjson

from authz.identity.principal import Principal
from intmod_site.api.errors import ValidationFailed
from intmod_site.api.pagination import page_after
from registry.catalog.mlflow import requests
from registry.catalog.mlflow.answers import MODEL_FIELDS, VERSION_FIELDS, models_json, versions_json
from registry.catalog.search.order import MODEL_ORDERS, VERSION_ORDERS, keyset_of
from registry.catalog.search.query import MODELS, VERSIONS, condition_of
from registry.models import ModelVersion, RegisteredModel

# Defaults and limits of mlflow/store/model_registry.
MODELS_PER_PAGE, MODELS_AT_MOST = 100, 1000
REMEMBERED_SEARCHES, REMEMBERED_BYTES = 50, 200_000
VERSIONS_PER_PAGE, VERSIONS_AT_MOST = 10_000, 200_000


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
    rows = RegisteredModel.objects.in_project(principal.project_id).existing()
    keyset = keyset_of(",".join(asked.order_by), MODEL_ORDERS, default=("name",))
    page, token = page_after(
        rows.filter(condition_of(asked.filter, MODELS, project_id=principal.project_id)).values(
            *MODEL_FIELDS
        ),
        keyset=keyset,
        size=_size(asked, MODELS_PER_PAGE, MODELS_AT_MOST),
        cursor=asked.page_token or None,
    )
    return _with_token({"registered_models": models_json(page)}, token)


def search_versions(principal: Principal, asked: requests.Search) -> Any:
    """Give a page of versions, the last changed first unless another order is asked for."""
    rows = ModelVersion.objects.in_project(principal.project_id).existing()
    default = ("-updated_at", "model__name", "-number")
    keyset = keyset_of(",".join(asked.order_by), VERSION_ORDERS, default=default)
    needed = {name.lstrip("-") for name in keyset} - set(VERSION_FIELDS)
    page, token = page_after(
        rows.filter(condition_of(asked.filter, VERSIONS, project_id=principal.project_id)).values(
            *VERSION_FIELDS, *needed
        ),
        keyset=keyset,
        size=_size(asked, VERSIONS_PER_PAGE, VERSIONS_AT_MOST),
        cursor=asked.page_token or None,
    )
    return _with_token({"model_versions": versions_json(page)}, token)


def _size(asked: requests.Search, default: int, most: int) -> int:
    size = default if asked.max_results is None else asked.max_results
    if not 1 <= size <= most:
        raise ValidationFailed(f"max_results is a number from 1 to {most}.")
    return size


def _with_token(answer: dict[str, Any], token: str | None) -> dict[str, Any]:
    # Clients go on until there is no token.
    return answer | ({"next_page_token": token} if token else {})
