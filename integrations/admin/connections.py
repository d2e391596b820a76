"""Integrations; their secrets go in and never come out."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from authz.secrets.fields import SECRET_MASK, UNREADABLE
from authz.secrets.keyring import SecretUnreadable
from integrations.admin.buttons import Button, ButtonedAdmin
from integrations.admin.panel import panel_of
from integrations.connections import services
from integrations.connections.auth import SCHEMES
from integrations.connections.connection import connection_of
from integrations.connections.external_call import Caller
from integrations.connections.trials import check_connection
from integrations.models import Integration
from intmod_site.api.errors import ApiError
from intmod_site.service_admin import ServiceForm


class IntegrationForm(ServiceForm):
    """An integration whose secret can be set, kept or removed."""

    new_api_key = forms.CharField(
        required=False,
        max_length=4096,
        label="API key",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Stored encrypted: the token, key, password, client secret or signing key. "
        "Leave empty to keep what is stored.",
    )
    remove_api_key = forms.BooleanField(required=False, label="Remove the stored API key")
    auth_scheme = forms.ChoiceField(choices=[(name, name) for name in SCHEMES], initial="bearer")
    shown_as = {"api_key": "new_api_key"}

    class Meta:
        model = Integration
        fields: list[str] = []
        widgets = {"base_url": forms.TextInput(attrs={"class": "vLargeTextField"})}
        labels = {
            "base_url": "Base URL",
            "connect_timeout_s": "Connecting",
            "first_byte_timeout_s": "First byte",
            "idle_timeout_s": "Between bytes",
            "timeout_s": "In all",
            "max_retries": "At most",
            "retry_delay_s": "First delay, in seconds",
            "response_limit_bytes": "Longest answer, in bytes",
        }

    def clean(self) -> dict[str, Any]:
        """Refuse to set and remove at once."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("remove_api_key") and _is_new(cleaned.get("new_api_key")):
            raise ValidationError({"remove_api_key": "Either set a new key or remove the old one."})
        return cleaned

    def given(self) -> dict[str, Any]:
        """Give the values; an API key only if one was typed."""
        return self._with_secret(super().given())

    def changed(self) -> dict[str, Any]:
        """Give the changed values; an API key only if it is to change."""
        return self._with_secret(super().changed())

    def _with_secret(self, values: dict[str, Any]) -> dict[str, Any]:
        typed, removed = values.pop("new_api_key", ""), values.pop("remove_api_key", False)
        if removed:
            return values | {"api_key": None}
        return values | {"api_key": typed} if _is_new(typed) else values


def _test(page: Any, request: HttpRequest, obj: Integration) -> HttpResponse:
    caller = Caller(actor=page.actor(request), project=obj.project)
    try:
        trial = check_connection(caller=caller, connection=connection_of(obj))
    except (ApiError, SecretUnreadable) as refusal:
        page.message_user(request, f"Not tested: {refusal}", messages.WARNING)
    else:
        told = "It works" if trial.ok else f"It does not work: {trial.error}"
        page.message_user(
            request,
            f"{told} ({trial.status or 'no answer'}, {trial.latency_ms:,.0f} ms)",
            messages.SUCCESS if trial.ok else messages.ERROR,
        )
    back: HttpResponse = page.back_to(obj)
    return back


@admin.register(Integration)
class IntegrationAdmin(ButtonedAdmin):
    """Where external systems are, and how to call them."""

    form = IntegrationForm
    list_display = ["name", "project", "base_url", "has_api_key", "is_active", "updated_at"]
    list_filter = ["is_active", "project"]
    list_select_related = ["project"]
    search_fields = ["name", "base_url"]
    autocomplete_fields = ["project"]
    actions = ["activate", "deactivate"]
    change_form_template = "admin/integrations/integration/change_form.html"
    buttons = (Button("test", "Test the connection", "integrations.call_integration", _test),)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Show the stored key's hint where there is one."""
        key = ["stored_api_key", "new_api_key", "remove_api_key"] if obj else ["new_api_key"]
        return [
            (None, {"fields": ["project", "name", "description", "base_url", "is_active"]}),
            ("Credential", {"fields": ["auth_scheme", *key, "auth_settings"]}),
            ("Headers", {"fields": ["headers"], "description": "Never credentials."}),
            (
                "Patience, in seconds",
                {
                    "fields": [
                        ("connect_timeout_s", "first_byte_timeout_s"),
                        ("idle_timeout_s", "timeout_s"),
                    ]
                },
            ),
            (
                "Retries",
                {"fields": [("max_retries", "retry_delay_s"), "retries_unsafe", "max_redirects"]},
            ),
            (
                "Limits",
                {
                    "fields": [
                        ("requests_per_minute", "parallel_calls"),
                        "response_limit_bytes",
                        "allowed_networks",
                    ]
                },
            ),
            ("Watching", {"fields": ["test_endpoint", "logs_bodies"]}),
        ]

    def below_form(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Show how it does."""
        may_see = request.user.has_perm("integrations.view_callrecord")
        return {"panel": panel_of(obj) if obj and may_see else None}

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep the project."""
        return ["project", "stored_api_key"] if obj else []

    @admin.display(description="Stored API key")
    def stored_api_key(self, obj: Integration) -> SafeString | str:
        """The last four characters of a long one, a fingerprint, and never more."""
        stored: Any = obj.api_key
        if not stored:
            return "None"
        hint, fingerprint = stored.shown()
        if hint == UNREADABLE:
            return "Unreadable: its encryption key is gone. Set it anew."
        return format_html("<code>{}</code> fingerprint <code>{}</code>", hint, fingerprint)

    @admin.display(description="API key", boolean=True)
    def has_api_key(self, obj: Integration) -> bool:
        """Whether one is stored."""
        return obj.api_key is not None

    def create(self, request: HttpRequest, form: IntegrationForm) -> Integration:
        """Register an integration."""
        return services.register_integration(actor=self.actor(request), **form.given())

    def update(self, request: HttpRequest, obj: Integration, form: IntegrationForm) -> Integration:
        """Change an integration."""
        return services.update_integration(
            actor=self.actor(request), integration=obj, changes=form.changed()
        )

    def remove(self, request: HttpRequest, obj: Integration) -> None:
        """Remove an integration that nothing refers to."""
        services.remove_integration(actor=self.actor(request), integration=obj)

    @admin.action(description="Deactivate: it is called no more", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[Integration]) -> None:
        """Deactivate the selected integrations."""
        self._set_active(request, queryset, active=False)

    @admin.action(description="Activate again", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[Integration]) -> None:
        """Activate the selected integrations."""
        self._set_active(request, queryset, active=True)

    def _set_active(
        self, request: HttpRequest, queryset: QuerySet[Integration], *, active: bool
    ) -> None:
        self.for_each(
            request,
            queryset,
            lambda row: services.update_integration(
                actor=self.actor(request), integration=row, changes={"is_active": active}
            ),
            "activated" if active else "deactivated",
        )


def _is_new(typed: str | None) -> bool:
    return bool(typed) and typed != SECRET_MASK
