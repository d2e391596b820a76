"""Logging in to the admin: tries are counted, and recorded as the API's logins are."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.signals import user_logged_in, user_login_failed
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from authz.api.request_limits import limit_token_request
from authz.audit.actor import Actor
from authz.audit.record import record_change, record_denial
from authz.identity.login_tries import begin_try, note_success
from authz.models import User
from intmod_site.admin_confirmation import note_confirmed
from intmod_site.api.errors import TooManyRequests
from intmod_site.client_address import client_address


@receiver(user_logged_in, dispatch_uid="authz.admin.logged_in")
def record_login(*, request: HttpRequest, user: User, **_: Any) -> None:
    """Record who came in, and that their password was typed just now."""
    note_confirmed(request)
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
    _record_refusal(
        str(credentials.get("username", "")), request, "name and password do not belong together"
    )


def _record_refusal(username: str, request: HttpRequest | None, reason: str) -> None:
    address = client_address(request) if request else None
    record_denial(
        actor=Actor(kind="anonymous", label=username[:150], address=address),
        action="admin.login",
        project=None,
        reason=reason,
    )


class LoginForm(AdminAuthenticationForm):
    """Django's form, which takes only so many tries."""

    retry_after_s: float | None = None

    def clean(self) -> dict[str, Any]:
        """Take a try, then check name and password."""
        username, password = (self.cleaned_data.get(name) for name in ("username", "password"))
        if not username or not password:
            return super().clean()
        address = client_address(self.request) if self.request else None
        try:
            self._begin(username, address)
        except TooManyRequests as refused:
            self.retry_after_s = refused.retry_after_s
            raise forms.ValidationError(refused.message, code=refused.error_code) from None
        cleaned = super().clean()
        note_success(username=username, address=address)
        return cleaned

    def confirm_login_allowed(self, user: Any) -> None:
        """Let staff in; others are told what strangers are, and recorded likewise."""
        try:
            super().confirm_login_allowed(user)
        except forms.ValidationError:
            _record_refusal(user.username, self.request, "not staff")
            raise

    def _begin(self, username: str, address: str | None) -> None:
        # As of the API's route, and likewise not recorded: each of many names would be a new one.
        limit_token_request(address)
        try:
            begin_try(username=username, address=address)
        except TooManyRequests:
            _record_refusal(username, self.request, "too many tries")
            raise


admin.site.login_form = LoginForm
