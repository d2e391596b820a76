"""The one permission check: each action of a view names what it needs, or nobody gets in."""

from typing import Any

from django.http import HttpRequest
from rest_framework.permissions import BasePermission

from authz.audit.record import record_denial
from authz.identity.principal import Principal
from intmod_site.api.errors import NotAuthenticated, PermissionDenied

ANYONE = "anyone"
"""For what must be reachable without a credential, such as fetching one."""

AUTHENTICATED = "authenticated"
"""For what concerns nobody but the caller, such as asking who one is."""


def check(request: HttpRequest, principal: Principal | None, needed: str | None) -> None:
    """Let the request pass, or record the denial and stop it.

    Args:
        request: The request, for its route in the record.
        principal: The caller, if there is one.
        needed: A permission, ANYONE or AUTHENTICATED; None lets nobody pass.

    Raises:
        NotAuthenticated: There is no caller and one is needed.
        PermissionDenied: The caller lacks the permission.
    """
    if needed == ANYONE:
        return
    if principal is None:
        raise NotAuthenticated("Send a credential as Authorization: Bearer <token or API key>.")
    if needed == AUTHENTICATED:
        return
    if needed is None or not principal.has(needed):
        deny(request, principal, needed or "a permission that nobody holds")


def deny(request: HttpRequest, principal: Principal, needed: str) -> None:
    """Record that the caller lacks a permission, and refuse.

    Raises:
        PermissionDenied: Always.
    """
    route = request.resolver_match.route if request.resolver_match else ""
    record_denial(
        actor=principal.actor,
        action=f"{(request.method or '').lower()} /{route}"[:60],
        project=principal.project,
        reason=f"lacks {needed}",
    )
    raise PermissionDenied(f"This needs the permission {needed}.")


class ActionPermission(BasePermission):
    """Checks the view's `permissions`: action (or method, in views without actions) → needed."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Let the request pass or raise."""
        action = getattr(view, "action", None) or (request.method or "").lower()
        if request.method == "OPTIONS" or (
            action not in view.permissions and not hasattr(view, action)
        ):
            # Not served here: DRF answers 405, but only to those who may know.
            check(request._request, request.user, AUTHENTICATED)
            return True
        check(request._request, request.user, view.permissions.get(action))
        return True
