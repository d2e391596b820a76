"""What the surfaces share: the list of models, and routes that lead nowhere.

Both vendors ask `/v1/models`; Anthropic's clients say who they are by a header.
"""

from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from authz.api.plain import plain_get
from authz.identity.principal import Principal
from intmod_site.api.errors import NotFound
from registry.inference.surfaces.callable_models import (
    CallableModel,
    callable_model,
    callable_models,
)
from registry.inference.surfaces.speaker import refuse, speaks_anthropic, with_request_id

INVOKE = "registry.invoke_modelversion"
PAGE = ("limit", "after_id", "before_id")


@with_request_id
@plain_get(permission=INVOKE, refuse=refuse, query=PAGE)
def models(request: HttpRequest, principal: Principal) -> HttpResponse:
    """List what can be called; all of it, whatever the page size."""
    found = callable_models(principal.project_id)
    if speaks_anthropic(request):
        rows = [_for_anthropic(model) for model in found]
        first, last = (rows[0]["id"], rows[-1]["id"]) if rows else (None, None)
        return _json({"data": rows, "has_more": False, "first_id": first, "last_id": last})
    rows = [_for_openai(model, principal) for model in found]
    return _json({"object": "list", "data": rows})


@with_request_id
@plain_get(permission=INVOKE, refuse=refuse)
def model(request: HttpRequest, principal: Principal, model_id: str) -> HttpResponse:
    """Say whether a name can be called."""
    found = callable_model(principal.snapshot, principal.project_id, model_id)
    anthropics = speaks_anthropic(request)
    return _json(_for_anthropic(found) if anthropics else _for_openai(found, principal))


@csrf_exempt
def unknown_route(request: HttpRequest) -> HttpResponse:
    """Answer for what is not served below /v1."""
    return refuse(NotFound("There is no such route here.", code="unknown_route"), request)


def _for_openai(model: CallableModel, principal: Principal) -> dict[str, Any]:
    return {
        "id": model.name,
        "object": "model",
        "created": int(model.created_at.timestamp()),
        "owned_by": principal.project_slug,
    }


def _for_anthropic(model: CallableModel) -> dict[str, Any]:
    return {
        "type": "model",
        "id": model.name,
        "display_name": model.name,
        "created_at": model.created_at.isoformat().replace("+00:00", "Z"),
    }


def _json(value: dict[str, Any]) -> HttpResponse:
    return HttpResponse(orjson.dumps(value), content_type="application/json")
