"""Logging in to the admin, in the audit log: the API's logins record themselves."""

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from authz.audit.actor import Actor
from authz.audit.record import record_change, record_denial
from authz.models import User
from intmod_site.client_address import client_address


@receiver(user_logged_in, dispatch_uid="authz.admin.logged_in")
def record_login(*, request: HttpRequest, user: User, **_: Any) -> None:
    """Record who came in."""
    actor = Actor(
        kind=user.kind,
        label=user.username,
        id=str(user.pk),
        credential="admin",
        address=client_address(request),
    )
    with transaction.atomic():
        record_change(actor=actor, action="admin.login", obj=user, project=None)


@receiver(user_login_failed, dispatch_uid="authz.admin.login_failed")
def record_failure(
    *, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any
) -> None:
    """Record who did not; the name is what was typed."""
    address = client_address(request) if request else None
    record_denial(
        actor=Actor(
            kind="anonymous", label=str(credentials.get("username", ""))[:150], address=address
        ),
        action="admin.login",
        project=None,
        reason="name and password do not belong together",
    )
