"""Which pages ask for the password again, and the form that takes it."""

from functools import cache
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Model

from authz.identity.confirming import confirm_password
from authz.models import APIKey, Membership, PolicyAttachment, SecurityPolicy, User
from authz.secrets.fields import EncryptedTextField
from intmod_site.api.errors import ApiError
from intmod_site.client_address import client_address

ACCESS = (APIKey, Group, Membership, PolicyAttachment, SecurityPolicy, User)
"""What decides who may do what."""


@cache
def confirmed_models() -> list[type[Model]]:
    """Give the models whose pages ask: of access, and of all that keeps a secret."""
    return [
        model
        for model in admin.site._registry
        if model in ACCESS
        or any(isinstance(field, EncryptedTextField) for field in model._meta.get_fields())
    ]


class AsksForPassword(forms.Form):
    """A form in which whoever is logged in types the password that they have; tries are counted."""

    def __init__(self, *args: Any, request: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        self.retry_after_s: float | None = None

    def confirmed(self, typed: str) -> str:
        """Check it, and give it back."""
        try:
            confirm_password(
                user=self.request.user, password=typed, address=client_address(self.request)
            )
        except ApiError as refused:
            self.retry_after_s = refused.retry_after_s
            raise forms.ValidationError(refused.message, code=refused.error_code) from None
        return typed


class ConfirmForm(AsksForPassword):
    """Takes the password of whoever is logged in."""

    password = forms.CharField(
        strip=False,
        max_length=1000,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )

    def clean_password(self) -> str:
        """Check it."""
        return self.confirmed(str(self.cleaned_data["password"]))


_site: Any = admin.site
_site.confirm_form = ConfirmForm
_site.confirmed_models = confirmed_models
