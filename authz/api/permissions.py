"""The one permission check: each action of a view names what it needs, or nobody gets in."""

from typing import Any

from rest_framework.permissions import BasePermission

from authz.identity.principal import Principal
from intmod_site.api.errors import NotAuthenticated, PermissionDenied

ANYONE = "anyone"
"""For what must be reachable without a credential, such as fetching one."""

AUTHENTICATED = "authenticated"
"""For what concerns nobody but the caller, such as asking who one is."""


def check(principal: Principal | None, needed: str | None) -> None:
    """Let the request pass, or stop it; whoever answers records the denial (`denials`).

    Args:
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
        raise PermissionDenied(f"This needs the permission {needed or 'that nobody holds'}.")


def action_of(method: str) -> str:
    """Give the action that a method asks of a view without named actions; HEAD is a GET."""
    return "get" if method == "HEAD" else method.lower()


class ActionPermission(BasePermission):
    """Checks the view's `permissions`: action (or method, in views without actions) → needed."""

    def has_permission(self, request: Any, view: Any) -> bool:
        """Let the request pass or raise."""
        action = getattr(view, "action", None) or action_of(request.method or "")
        if request.method == "OPTIONS" or (
            action not in view.permissions and not hasattr(view, action)
        ):
            # Not served here: DRF answers 405, but only to those who may know.
            if ANYONE not in view.permissions.values():
                check(request.user, AUTHENTICATED)
            return True
        check(request.user, view.permissions.get(action))
        return True
