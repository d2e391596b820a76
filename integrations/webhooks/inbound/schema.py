"""The address for senders in the OpenAPI schema."""

from authz.api.permissions import ANYONE
from integrations.webhooks.inbound.receiving import BASE, ROUTE
from intmod_site.api.schema import PlainEndpoint, register_plain_endpoint

_DATA = {
    "type": "object",
    "required": ["id", "event_id", "duplicate"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "format": "uuid"},
        "event_id": {"type": "string"},
        "duplicate": {"type": "boolean"},
    },
}


def register_inbound_endpoint() -> None:
    """Register it; called when the app is ready."""
    register_plain_endpoint(
        PlainEndpoint(
            f"{BASE}{ROUTE}/{{source}}",
            "post",
            {
                "operationId": "integration_webhook_inbound",
                "summary": "Take an event of a source. The sender's signature is the credential.",
                "tags": ["integration"],
                "x-permission": ANYONE,
                "security": [],
                "parameters": [
                    {
                        "name": "source",
                        "in": "path",
                        "required": True,
                        "schema": {"type": "string", "format": "uuid"},
                    }
                ],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {}}},
                },
                "responses": {
                    "202": _answer("It is kept."),
                    "200": _answer("It was kept before."),
                },
            },
        )
    )


def _answer(description: str) -> dict[str, object]:
    return {"description": description, "content": {"application/json": {"schema": _DATA}}}
