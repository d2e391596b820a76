"""The endpoint of usage."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from authz.api.plain import plain_get
from authz.identity.principal import Principal
from intmod_site.api.envelope import answer
from intmod_site.api.errors import FieldError, ValidationFailed
from intmod_site.api.filters import MomentField
from intmod_site.api.schema import PlainEndpoint, register_plain_endpoint
from registry.inference.usage import GROUPS, MAX_ROWS, usage_by

DEFAULT_PERIOD = timedelta(days=30)
PERMISSION = "registry.view_inferencerecord"


class UsageQuery(forms.Form):
    """How to add up, and from when to when."""

    group_by = forms.ChoiceField(required=False, choices=[(group, group) for group in GROUPS])
    since = MomentField(required=False)
    until = MomentField(required=False)


@plain_get(permission=PERMISSION, query=tuple(UsageQuery.base_fields))
def usage(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Add up the project's calls of the last 30 days, or of another period."""
    asked = _asked(request)
    rows = usage_by(
        asked["group_by"],
        project_id=principal.project_id,
        project_slug=principal.project_slug,
        since=asked["since"],
        until=asked["until"],
    )
    return answer({**asked, "results": [row.as_dict() for row in rows]})


def _asked(request: HttpRequest) -> dict[str, Any]:
    query = UsageQuery(request.GET)
    if not query.is_valid():
        fields = tuple(
            FieldError(f"/{name}", "invalid", str(messages[0]))
            for name, messages in query.errors.items()
        )
        first = fields[0]
        raise ValidationFailed(f"{first.path[1:]}: {first.message}", fields=fields)
    until: datetime = query.cleaned_data["until"] or timezone.now()
    try:
        since: datetime = query.cleaned_data["since"] or until - DEFAULT_PERIOD
    except OverflowError:
        raise ValidationFailed.of("until", "That is too long ago.") from None
    if since >= until:
        raise ValidationFailed.of("since", "It must be before until.")
    return {"group_by": query.cleaned_data["group_by"] or "model", "since": since, "until": until}


def register_usage() -> None:
    """Describe the endpoint in the OpenAPI schema."""
    moment = {"type": "string", "format": "date-time"}
    count = {"type": "integer", "minimum": 0}
    row = {
        "type": "object",
        "required": [
            "key", "label", "calls", "errors", "input_tokens", "output_tokens", "cost_usd",
            "calls_without_cost",
        ],
        "additionalProperties": False,
        "properties": {
            "key": {"type": "string"},
            "label": {"type": "string", "description": "Whose credential it is."},
            "calls": count,
            "errors": count,
            "input_tokens": count,
            "output_tokens": count,
            "cost_usd": {"type": "string", "description": "A decimal number."},
            "calls_without_cost": {**count, "description": "Their cost is not in the sum."},
        },
    }  # fmt: skip
    data = {
        "type": "object",
        "required": ["group_by", "since", "until", "results"],
        "additionalProperties": False,
        "properties": {
            "group_by": {"enum": list(GROUPS)},
            "since": moment,
            "until": moment,
            "results": {"type": "array", "maxItems": MAX_ROWS, "items": row},
        },
    }
    query = [
        {"name": "group_by", "in": "query", "schema": {"enum": list(GROUPS)}},
        {
            "name": "since",
            "in": "query",
            "schema": moment,
            "description": "30 days ago if omitted.",
        },
        {"name": "until", "in": "query", "schema": moment, "description": "Now if omitted."},
    ]
    register_plain_endpoint(
        PlainEndpoint(
            path="/api/v1/ai/usage",
            method="get",
            operation={
                "operationId": "ai_usage",
                "summary": "Add up the project's calls.",
                "tags": ["ai"],
                "x-permission": PERMISSION,
                "parameters": query,
                "responses": {
                    "200": {
                        "description": "The dearest first, days in their order.",
                        "content": {"application/json": {"schema": data}},
                    }
                },
            },
        )
    )
