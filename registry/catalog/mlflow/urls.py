"""Routes below /api/2.0/mlflow and /api/3.0/mlflow."""

from typing import Any

import msgspec
from django.urls import path, re_path

from authz.api.permissions import AUTHENTICATED
from registry.catalog.mlflow import models, requests, search, versions
from registry.catalog.mlflow.endpoint import Endpoint, mlflow_view, unknown


class _Nothing(msgspec.Struct):
    """Nothing is sent."""


def _may(action: str, request: type[msgspec.Struct], answer: Any) -> Endpoint:
    return Endpoint(f"registry.{action}", request, answer)


_MODEL, _VERSION, _ALIAS = "registeredmodel", "modelversion", "modelalias"
_latest = _may(f"view_{_MODEL}", requests.LatestVersions, models.latest_versions)
ROUTES: dict[str, dict[str, Endpoint]] = {
    "registered-models/create": {
        "POST": _may(f"add_{_MODEL}", requests.CreateModel, models.create)
    },
    "registered-models/get": {"GET": _may(f"view_{_MODEL}", requests.OfModel, models.get)},
    "registered-models/rename": {
        "POST": _may(f"change_{_MODEL}", requests.RenameModel, models.rename)
    },
    "registered-models/update": {
        "PATCH": _may(f"change_{_MODEL}", requests.UpdateModel, models.update)
    },
    "registered-models/delete": {
        "DELETE": _may(f"delete_{_MODEL}", requests.OfModel, models.delete)
    },
    "registered-models/search": {
        "GET": _may(f"view_{_MODEL}", requests.Search, search.search_models)
    },
    "registered-models/get-latest-versions": {"GET": _latest, "POST": _latest},
    "registered-models/set-tag": {
        "POST": _may(f"change_{_MODEL}", requests.SetModelTag, models.set_tag)
    },
    "registered-models/delete-tag": {
        "DELETE": _may(f"change_{_MODEL}", requests.DeleteModelTag, models.delete_tag)
    },
    "registered-models/alias": {
        "GET": _may(f"view_{_ALIAS}", requests.OfAlias, models.get_alias),
        "POST": _may(f"change_{_ALIAS}", requests.SetAlias, models.set_alias),
        "DELETE": _may(f"delete_{_ALIAS}", requests.OfAlias, models.delete_alias),
    },
    "model-versions/create": {
        "POST": _may(f"add_{_VERSION}", requests.CreateVersion, versions.create)
    },
    "model-versions/get": {"GET": _may(f"view_{_VERSION}", requests.OfVersion, versions.get)},
    "model-versions/update": {
        "PATCH": _may(f"change_{_VERSION}", requests.UpdateVersion, versions.update)
    },
    "model-versions/delete": {
        "DELETE": _may(f"delete_{_VERSION}", requests.OfVersion, versions.delete)
    },
    "model-versions/transition-stage": {
        "POST": _may(f"change_{_VERSION}", requests.TransitionStage, versions.transition_stage)
    },
    "model-versions/search": {
        "GET": _may(f"view_{_VERSION}", requests.Search, search.search_versions)
    },
    "model-versions/get-download-uri": {
        "GET": _may(f"view_{_VERSION}", requests.OfVersion, versions.download_uri)
    },
    "model-versions/set-tag": {
        "POST": _may(f"change_{_VERSION}", requests.SetVersionTag, versions.set_tag)
    },
    "model-versions/delete-tag": {
        "DELETE": _may(f"change_{_VERSION}", requests.DeleteVersionTag, versions.delete_tag)
    },
}
_SERVER_INFO = Endpoint(
    AUTHENTICATED, _Nothing, lambda _caller, _asked: {"workspaces_enabled": False}
)

urlpatterns = [
    *(path(f"2.0/mlflow/{route}", mlflow_view(endpoints)) for route, endpoints in ROUTES.items()),
    path("3.0/mlflow/server-info", mlflow_view({"GET": _SERVER_INFO})),
    re_path(r"^[23]\.0/mlflow(?:/[\s\S]*)?$", unknown),
]
