"""Staff changing their own password."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.forms import PasswordChangeForm

from authz.audit.actor import Actor
from authz.identity.confirming import confirm_password
from authz.identity.members import update_user
from authz.models import User
from intmod_site.api.errors import ApiError
from intmod_site.client_address import client_address


class OwnPasswordForm(PasswordChangeForm):
    """Django's form, saved by our service: recorded, and ending sessions of the API."""

    required_css_class = "required"

    def __init__(self, *args: Any, request: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.retry_after_s: float | None = None

    def clean_old_password(self) -> str:
        """Check it; who finds the browser open may not guess on."""
        typed = str(self.cleaned_data["old_password"])
        try:
            confirm_password(user=self.user, password=typed, address=client_address(self.request))
        except ApiError as refused:
            self.retry_after_s = refused.retry_after_s
            raise forms.ValidationError(refused.message, code=refused.error_code) from None
        return typed

    def save(self, commit: bool = True) -> User:
        """Change the password; Django keeps this browser's session by what we return."""
        user = self.user
        saved = update_user(
            actor=Actor(kind=user.kind, label=user.username, id=str(user.pk), credential="admin"),
            user=user,
            changes={},
            password=self.cleaned_data["new_password1"],
        )
        # The view rehashes the session with the object that it gave us.
        user.password = saved.password
        return saved


admin.site.password_change_form = OwnPasswordForm
