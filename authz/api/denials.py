"""Recording what was refused for lack of permission, wherever on the way it was refused."""

from typing import Any

from django.http import HttpRequest
from rest_framework.response import Response

from authz.audit.record import record_denial
from authz.identity.principal import Principal
from intmod_site.api import handler
from intmod_site.api.errors import PermissionDenied


def handle_exception(raised: Exception, context: dict[str, Any]) -> Response:
    """Answer for DRF as the site does, after recording a denial."""
    record_if_denied(raised, context["request"]._request)
    return handler.handle_exception(raised, context)


def record_if_denied(raised: Exception, request: HttpRequest) -> None:
    """Record that a caller lacks a permission; the refused change has rolled back by now."""
    principal: Principal | None = getattr(request, "principal", None)
    if principal is None or not isinstance(raised, PermissionDenied):
        return
    route = request.resolver_match.route if request.resolver_match else ""
    record_denial(
        actor=principal.actor,
        action=f"{(request.method or '').lower()} /{route}"[:60],
        project=principal.project,
        reason=raised.message,
    )
