"""The surfaces in the OpenAPI schema: what they take, drawn from the types that check it.

What they give is the vendors' to describe; here it is said where to read it.
"""

from typing import Any

import msgspec

from intmod_site.api.schema import PlainEndpoint, register_plain_endpoint
from registry.inference.surfaces.anthropic.requests import MessagesRequest
from registry.inference.surfaces.openai.requests import ChatCompletionRequest, EmbeddingRequest
from registry.inference.surfaces.views import PAGE

_REFERENCE = "#/components/schemas/{name}"
_OPENAI = "https://platform.openai.com/docs/api-reference"
_ANTHROPIC = "https://platform.claude.com/docs/en/api/messages"


def register_surfaces() -> None:
    """Register the compatible routes; called when the app is ready."""
    _register_post("chat/completions", "openai_chat", ChatCompletionRequest, _OPENAI, streams=True)
    _register_post("embeddings", "openai_embeddings", EmbeddingRequest, _OPENAI)
    _register_post(
        "messages",
        "anthropic_messages",
        MessagesRequest,
        _ANTHROPIC,
        [_query_parameter("beta")],
        streams=True,
    )
    for path, name, parameters in (
        ("models", "models_list", [_query_parameter(name) for name in PAGE]),
        ("models/{model_id}", "models_retrieve", [_path_parameter("model_id")]),
    ):
        operation = _operation(name, "What can be called.", _OPENAI, parameters, streams=False)
        register_plain_endpoint(PlainEndpoint(f"/v1/{path}", "get", operation))


def _register_post(
    path: str,
    name: str,
    kind: type[msgspec.Struct],
    docs: str,
    parameters: list[dict[str, Any]] | None = None,
    *,
    streams: bool = False,
) -> None:
    prefix = name.split("_", maxsplit=1)[0].capitalize()
    (request,), found = msgspec.json.schema_components(
        [kind], ref_template=_REFERENCE.replace("{name}", f"{prefix}{{name}}")
    )
    operation = _operation(
        name, (kind.__doc__ or "").strip(), docs, parameters or [], streams=streams
    )
    operation["requestBody"] = {
        "required": True,
        "content": {"application/json": {"schema": request}},
    }
    components = {f"{prefix}{key}": value for key, value in found.items()}
    register_plain_endpoint(PlainEndpoint(f"/v1/{path}", "post", operation, components))


def _operation(
    name: str, summary: str, docs: str, parameters: list[dict[str, Any]], *, streams: bool
) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": {"type": "object"}}}
    if streams:
        content["text/event-stream"] = {"schema": {"type": "string"}}
    refusal = {
        "description": "Refused, in the vendor's own shape.",
        "content": {"application/json": {"schema": {"type": "object", "required": ["error"]}}},
    }
    return {
        "operationId": name,
        "summary": summary,
        "tags": ["compatible"],
        "x-permission": "registry.invoke_modelversion",
        "externalDocs": {"url": docs},
        "parameters": parameters,
        "responses": {
            "200": {"description": "As the vendor's API answers.", "content": content},
            "4XX": refusal,
            "5XX": refusal,
        },
    }


def _path_parameter(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameter(name: str) -> dict[str, Any]:
    """Describe one that is taken because clients send it; nothing follows from it."""
    return {"name": name, "in": "query", "schema": {"type": "string"}}
