"""An extension module: one endpoint by serializer, one by schema, a middleware and a validator."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework import serializers

from intmod_site.api.extensions import Extensions, extensions
from intmod_site.api.fields import StrictSerializer, TextField

PERMISSION = "registry.invoke_modelversion"


def is_ticket(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("T-") and value[2:].isdigit()


class TicketRequest(StrictSerializer):
    ticket = TextField(validators=[extensions.validator("ticket")])


class TicketAnswer(serializers.Serializer[Any]):
    queue = serializers.IntegerField()
    asked_by = serializers.CharField()


def route_ticket(request: Any, data: dict[str, Any]) -> dict[str, Any]:
    return {"queue": int(data["ticket"][2:]) % 4, "asked_by": request.user.label}


def stamp(
    get_response: Callable[[HttpRequest], HttpResponseBase],
) -> Callable[[HttpRequest], HttpResponseBase]:
    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers["X-Stamped"] = "yes"
        return response

    return middleware


def extend(api: Extensions) -> None:
    api.add_validator("ticket", is_ticket)
    api.register_endpoint(
        path="support/route",
        method="POST",
        handler=route_ticket,
        serializer=TicketRequest,
        answer=TicketAnswer,
        permission=PERMISSION,
    )
    api.register_endpoint(
        path="support/tickets/<int:number>",
        method="PUT",
        handler=lambda request, data: {"queue": data["number"], "asked_by": data["ticket"]},
        validation_schema={
            "type": "object",
            "required": ["ticket"],
            "additionalProperties": False,
            "properties": {"ticket": {"type": "string", "format": "ticket"}},
        },
        answer=TicketAnswer,
        permission=PERMISSION,
    )
    api.add_middleware(stamp)
