"""The OpenAPI schema: what drf-spectacular cannot see by itself.

Views outside DRF register what they take and give; all JSON answers are wrapped in the envelope;
errors look the same on every route, so they are described once.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from drf_spectacular.openapi import AutoSchema

API_BASE = "/api/v1"
NO_ENVELOPE = {"204", "101"}


@dataclass(frozen=True, slots=True)
class PlainEndpoint:
    """A route served by a plain Django view.

    Args:
        path: The route, parameters in braces.
        method: HTTP method in lower case.
        operation: Its OpenAPI operation; responses describe `data`, not the envelope.
        components: Schemas that the operation refers to, by name.
    """

    path: str
    method: str
    operation: dict[str, Any]
    components: dict[str, Any] = field(default_factory=dict)


_plain: list[PlainEndpoint] = []


def register_plain_endpoint(endpoint: PlainEndpoint) -> None:
    """Add a plain view's route to the schema; apps call it when they are ready."""
    if endpoint not in _plain:
        _plain.append(endpoint)


class EnvelopeSchema(AutoSchema):
    """Names operations and groups by the path, and takes permissions from the view."""

    def get_tags(self) -> list[str]:
        """Group by the first part of the path after the base."""
        return [self.path.removeprefix(f"{API_BASE}/").split("/")[0]]

    def get_operation(self, *args: Any, **kwargs: Any) -> dict[str, Any] | None:
        """Say which permission the operation needs."""
        operation = super().get_operation(*args, **kwargs)
        action = getattr(self.view, "action", None) or self.method.lower()
        permission = getattr(self.view, "permissions", {}).get(action)
        if operation is not None and permission:
            operation["x-permission"] = permission
        return operation


def add_plain_endpoints(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Postprocessing hook: put the plain views' routes beside those of DRF."""
    schemas = result.setdefault("components", {}).setdefault("schemas", {})
    for endpoint in _plain:
        # A copy: the next hook changes what it is given, and the schema is drawn up again.
        schemas |= deepcopy(endpoint.components)
        operation = {"security": [{"credential": []}], **deepcopy(endpoint.operation)}
        result["paths"].setdefault(endpoint.path, {})[endpoint.method] = operation
    result["paths"] = dict(sorted(result["paths"].items()))
    return result


def wrap_in_envelope(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Postprocessing hook: every JSON answer under the base stands in the envelope."""
    schemas = result["components"].setdefault("schemas", {})
    schemas["Error"] = ERROR_ENVELOPE
    for path, item in result["paths"].items():
        if not path.startswith(f"{API_BASE}/"):
            continue
        for method, operation in item.items():
            if method in {"get", "post", "put", "patch", "delete"}:
                _wrap_operation(operation)
    return result


def _wrap_operation(operation: dict[str, Any]) -> None:
    responses = operation.setdefault("responses", {})
    for status, response in responses.items():
        content = response.get("content", {}).get("application/json")
        if content and status.startswith("2") and status not in NO_ENVELOPE:
            content["schema"] = _success_envelope(content.get("schema", {}))
    for status, description in (
        ("4XX", "The request is refused."),
        ("5XX", "It failed on our side."),
    ):
        responses[status] = {
            "description": description,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
        }


_META = {
    "timestamp": {"type": "string", "format": "date-time"},
    "request_id": {"type": "string"},
}


def _success_envelope(data: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["success", "data", "error", "timestamp", "request_id"],
        "additionalProperties": False,
        "properties": {
            "success": {"const": True},
            "data": data,
            "error": {"type": "null"},
            **_META,
        },
    }


ERROR_ENVELOPE: dict[str, Any] = {
    "type": "object",
    "required": ["success", "data", "error", "timestamp", "request_id", "error_details"],
    "additionalProperties": False,
    "properties": {
        "success": {"const": False},
        "data": {"type": "null"},
        "error": {"type": "string"},
        **_META,
        "error_details": {
            "type": "object",
            "required": ["code", "status", "fields", "retry_after_s", "docs"],
            "additionalProperties": False,
            "properties": {
                "code": {"type": "string"},
                "status": {"type": "integer"},
                "fields": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["path", "code", "message"],
                        "additionalProperties": False,
                        "properties": {
                            "path": {"type": "string", "description": "JSON Pointer (RFC 6901)."},
                            "code": {"type": "string"},
                            "message": {"type": "string"},
                        },
                    },
                },
                "retry_after_s": {"type": ["number", "null"]},
                "docs": {"type": "string"},
            },
        },
    },
}
