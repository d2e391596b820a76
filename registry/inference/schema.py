"""The AI endpoints in the OpenAPI schema, drawn from the types that check their requests."""

from typing import Any

import msgspec

from intmod_site.api.schema import PlainEndpoint, register_plain_endpoint
from registry.inference.endpoints import ENDPOINTS
from registry.inference.endpoints.endpoint import ContinuationRequest, Endpoint

_REFERENCE = "#/components/schemas/{name}"


def register_ai_endpoints() -> None:
    """Register all six; called when the app is ready."""
    for endpoint in ENDPOINTS.values():
        (request,), components = msgspec.json.schema_components(
            [endpoint.request], ref_template=_REFERENCE
        )
        register_plain_endpoint(
            PlainEndpoint(
                path=f"/api/v1/ai/{endpoint.task}",
                method="post",
                operation=_operation(endpoint, request),
                components=components,
            )
        )


def _answers(endpoint: Endpoint) -> dict[str, Any]:
    content: dict[str, Any] = {"application/json": {"schema": _data_schema(endpoint)}}
    description = "The model's answer."
    if issubclass(endpoint.request, ContinuationRequest):
        content["text/event-stream"] = {"schema": {"type": "string"}}
        description += (
            " With `stream` as events: `delta` with {text}, in the end `result` or `error` with"
            " the whole envelope."
        )
    return {"200": {"description": description, "content": content}}


def _operation(endpoint: Endpoint, request: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": f"ai_{endpoint.task}",
        "summary": endpoint.summary,
        "tags": ["ai"],
        "x-permission": "registry.invoke_modelversion",
        "parameters": [
            {
                "name": "Idempotency-Key",
                "in": "header",
                "schema": {"type": "string", "maxLength": 255},
            }
        ],
        "requestBody": {"required": True, "content": {"application/json": {"schema": request}}},
        "responses": _answers(endpoint),
    }


def _data_schema(endpoint: Endpoint) -> dict[str, Any]:
    tokens = {
        "type": ["integer", "null"],
        "minimum": 0,
        "description": "Null when the provider did not say.",
    }
    properties = {
        "result": endpoint.result_schema,
        "model": {"type": "string"},
        "model_id": {"type": "string"},
        "version": {"type": "integer"},
        "provider": {"type": "string"},
        "finish_reason": {"type": ["string", "null"]},
        "usage": {
            "type": "object",
            "required": ["input_tokens", "output_tokens"],
            "properties": {"input_tokens": tokens, "output_tokens": tokens},
        },
        "cost_usd": {
            "type": ["string", "null"],
            "description": "A decimal number; null when a price is unknown.",
        },
        "latency_ms": {"type": "number"},
    }
    return {
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": properties,
    }
