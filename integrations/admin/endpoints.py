"""Webhook endpoints; their secrets are made here, shown once, and never come out again."""

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from authz.secrets.fields import UNREADABLE
from authz.secrets.keyring import SecretUnreadable
from integrations.admin.buttons import Button, ButtonedAdmin
from integrations.admin.endpoint_panel import panel_of
from integrations.models import WebhookEndpoint
from integrations.webhooks import endpoints, standing
from integrations.webhooks.replaced_secrets import counting_secrets
from integrations.webhooks.replays import Scope, recover
from integrations.webhooks.rotation import rotate_secret
from intmod_site.api.errors import ValidationFailed
from intmod_site.service_admin import ServiceForm

CHANGE = "integrations.change_webhookendpoint"
REPLAY = "integrations.replay_webhookdelivery"
PERIODS = {"1": "last 24 hours", "7": "last 7 days", "30": "last 30 days"}
SCOPES = {
    Scope.FAILED: "What was given up",
    Scope.MISSING: "What it missed",
    Scope.ALL: "Everything",
}


class EndpointForm(ServiceForm):
    """An endpoint."""

    event_types = forms.CharField(
        label="Event types",
        widget=forms.Textarea(attrs={"rows": 3, "cols": 60}),
        help_text="One a line: names, or patterns such as order.* and *.",
    )

    class Meta:
        model = WebhookEndpoint
        fields: list[str] = []
        widgets = {"url": forms.TextInput(attrs={"class": "vLargeTextField"})}
        labels = {
            "timeout_s": "Patience, in seconds",
            "disable_after_days": "Disable after days",
            "disable_after_failures": "Disable after failures in a row",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.event_types:
            self.initial["event_types"] = "\n".join(self.instance.event_types)

    def clean_event_types(self) -> list[str]:
        """Read the lines."""
        lines = (line.strip() for line in self.cleaned_data["event_types"].splitlines())
        return [line for line in lines if line]


def _enable(page: Any, request: HttpRequest, obj: WebhookEndpoint) -> str:
    standing.enable_endpoint(actor=page.actor(request), endpoint=obj)
    return "Enabled; what was held goes out now."


def _disable(page: Any, request: HttpRequest, obj: WebhookEndpoint) -> str:
    standing.disable_endpoint(actor=page.actor(request), endpoint=obj)
    return "Disabled; what is meant for it is held."


def _recover(page: Any, request: HttpRequest, obj: WebhookEndpoint) -> str:
    days, scope = request.POST.get("days", ""), request.POST.get("scope", "")
    if days not in PERIODS or scope not in set(Scope):
        raise ValidationFailed.of("scope", "Choose what is sent again, and from when on.")
    count = recover(
        actor=page.actor(request),
        endpoint=obj,
        since=timezone.now() - timedelta(days=int(days)),
        scope=Scope(scope),
    )
    return f"{count} deliveries are made again."


def _rotate(page: Any, request: HttpRequest, obj: WebhookEndpoint) -> HttpResponse:
    return _show_secret(page, request, rotate_secret(actor=page.actor(request), endpoint=obj))


def _revoke(page: Any, request: HttpRequest, obj: WebhookEndpoint) -> HttpResponse:
    rotated = rotate_secret(actor=page.actor(request), endpoint=obj, overlap_s=0)
    return _show_secret(page, request, rotated)


def _show_secret(page: Any, request: HttpRequest, obj: WebhookEndpoint) -> HttpResponse:
    """Show the secret in this answer and nowhere else: no message, no cookie, no session."""
    stored: Any = obj.secret
    context = {
        **page.admin_site.each_context(request),
        "title": "Signing secret",
        "opts": page.opts,
        "endpoint": obj,
        "text": stored.reveal(),
    }
    answer = TemplateResponse(request, "admin/integrations/webhookendpoint/secret.html", context)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _is_active(obj: WebhookEndpoint) -> bool:
    return obj.state == WebhookEndpoint.State.ACTIVE


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ButtonedAdmin):
    """Who is told of what, and how that goes."""

    form = EndpointForm
    list_display = ["label", "project", "mark", "asks_for", "failing", "updated_at"]
    list_filter = ["state", "project"]
    list_select_related = ["project"]
    search_fields = ["description", "url"]
    autocomplete_fields = ["project"]
    change_form_template = "admin/integrations/webhookendpoint/change_form.html"
    buttons = (
        Button("enable", "Enable", CHANGE, _enable, lambda obj: not _is_active(obj)),
        Button("disable", "Disable", CHANGE, _disable, _is_active),
        Button("rotate", "Rotate the secret", CHANGE, _rotate),
        Button("revoke", "Rotate and revoke at once", CHANGE, _revoke),
        Button("recover", "Send again", REPLAY, _recover),
    )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Show the stored secret's hint where there is one."""
        return [
            (None, {"fields": ["project", "description", "url", "event_types"]}),
            *([("Signing", {"fields": ["stored_secret"]})] if obj else []),
            ("Headers", {"fields": ["headers"], "description": "Never credentials."}),
            (
                "Delivery",
                {"fields": [("deliveries_per_minute", "timeout_s"), "is_ordered"]},
            ),
            ("Failing", {"fields": [("disable_after_days", "disable_after_failures")]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep the project."""
        return ["project", "stored_secret"] if obj else []

    def below_form(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Show how it does."""
        may_see = request.user.has_perm("integrations.view_webhookdelivery")
        panel = panel_of(obj) if obj and may_see else None
        return {"panel": panel, "periods": PERIODS, "scopes": SCOPES}

    def create(self, request: HttpRequest, form: EndpointForm) -> WebhookEndpoint:
        """Register an endpoint."""
        return endpoints.register_endpoint(
            actor=self.actor(request), held=self.held(request), **form.given()
        )

    def update(
        self, request: HttpRequest, obj: WebhookEndpoint, form: EndpointForm
    ) -> WebhookEndpoint:
        """Change an endpoint."""
        return endpoints.update_endpoint(
            actor=self.actor(request),
            held=self.held(request),
            endpoint=obj,
            changes=form.changed(),
        )

    def remove(self, request: HttpRequest, obj: WebhookEndpoint) -> None:
        """Remove an endpoint with its deliveries."""
        endpoints.remove_endpoint(actor=self.actor(request), endpoint=obj)

    def goes_along(self, obj: WebhookEndpoint) -> dict[str, int]:
        """Count what is deleted with it."""
        return {"deliveries": obj.deliveries.count()}

    def response_add(self, request: HttpRequest, obj: Any, *args: Any) -> HttpResponse:
        """Show the secret that was made."""
        return _show_secret(self, request, obj)

    @admin.display(description="Endpoint")
    def label(self, obj: WebhookEndpoint) -> str:
        """Its description, or where it is."""
        return str(obj).partition("?")[0]

    @admin.display(description="State", ordering="state")
    def mark(self, obj: WebhookEndpoint) -> SafeString:
        """Whether it is told, and why not."""
        tone = "good" if _is_active(obj) else "bad"
        return format_html(
            '<span class="mark {}">{}</span> {}',
            tone,
            obj.get_state_display(),
            obj.get_disabled_reason_display(),
        )

    @admin.display(description="Event types")
    def asks_for(self, obj: WebhookEndpoint) -> str:
        """The first few."""
        shown = ", ".join(obj.event_types[:3])
        return shown + (f" and {len(obj.event_types) - 3} more" if obj.event_types[3:] else "")

    @admin.display(description="Failures in a row")
    def failing(self, obj: WebhookEndpoint) -> str:
        """How many."""
        return str(obj.consecutive_failures or "")

    @admin.display(description="Stored secret")
    def stored_secret(self, obj: WebhookEndpoint) -> SafeString | str:
        """The last four characters, a fingerprint, and never more."""
        stored: Any = obj.secret
        hint, fingerprint = stored.shown()
        if hint == UNREADABLE:
            return "Unreadable: its encryption key is gone. Rotate it and revoke the old one."
        try:
            old = len(counting_secrets(obj, timezone.now()))
        except SecretUnreadable:
            old = 0
        along = f"; {old} replaced sign along" if old else ""
        return format_html(
            "<code>{}</code> fingerprint <code>{}</code>{}", hint, fingerprint, along
        )
