"""Inbound sources; their secrets are shown once, when they are made."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from authz.secrets.fields import SECRET_MASK, UNREADABLE
from integrations.admin.buttons import ButtonedAdmin
from integrations.admin.source_panel import panel_of
from integrations.models import InboundSource
from integrations.webhooks.inbound import sources
from integrations.webhooks.inbound.receivers import receiver_names
from integrations.webhooks.inbound.receiving import address_of
from integrations.webhooks.inbound.rotation import rotate_secret
from integrations.webhooks.inbound.schemes import SCHEMES
from integrations.webhooks.replaced_secrets import LONGEST_OVERLAP_S, OVERLAP_S
from intmod_site.service_admin import ServiceForm


class SourceForm(ServiceForm):
    """A source; its secret is typed or made, and kept unless one of the two is asked for."""

    scheme = forms.ChoiceField(choices=[(name, name) for name in SCHEMES], initial="standard")
    receivers = forms.MultipleChoiceField(required=False, widget=forms.CheckboxSelectMultiple)
    new_secret = forms.CharField(
        required=False,
        max_length=512,
        label="Secret",
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="The sender's, where the sender makes it. Stored encrypted.",
    )
    make_secret = forms.BooleanField(
        required=False, label="Make a new secret", help_text="It is shown once, on the next page."
    )
    overlap_s = forms.IntegerField(
        label="Overlap, in seconds",
        initial=OVERLAP_S,
        min_value=0,
        max_value=LONGEST_OVERLAP_S,
        help_text="How long the present one counts beside a new one; 0 revokes it at once.",
    )
    shown_as = {"secret": "new_secret"}

    class Meta:
        model = InboundSource
        fields: list[str] = []
        labels = {
            "tolerance_s": "Tolerance, in seconds",
            "body_limit_bytes": "Longest body, in bytes",
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "receivers" in self.fields:
            known = {*receiver_names(), *(self.instance.receivers or [])}
            self.fields["receivers"].choices = [(name, name) for name in sorted(known)]  # type: ignore[attr-defined]
            self.fields["receivers"].help_text = (
                "Functions that are handed each event." if known else "None is registered."
            )

    def clean(self) -> dict[str, Any]:
        """Refuse to type and make a secret at once."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("make_secret") and self.typed_secret():
            self.add_error("make_secret", "Either type a secret or have one made.")
        return cleaned

    def typed_secret(self) -> str | None:
        """Give the secret that was typed, if one was."""
        typed = self.cleaned_data.get("new_secret")
        return typed if typed and typed != SECRET_MASK else None


NOT_COLUMNS = {"new_secret", "make_secret", "overlap_s"}


@admin.register(InboundSource)
class InboundSourceAdmin(ButtonedAdmin):
    """Who may tell us of events."""

    form = SourceForm
    list_display = ["name", "project", "scheme", "listeners", "is_active", "updated_at"]
    list_filter = ["is_active", "scheme", "project"]
    list_select_related = ["project"]
    search_fields = ["name"]
    autocomplete_fields = ["project"]
    change_form_template = "admin/integrations/inboundsource/change_form.html"

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Show address and stored secret where there is one."""
        told = ["address"] if obj else []
        secret = ["stored_secret", "new_secret", "make_secret", "overlap_s"]
        return [
            (None, {"fields": ["project", "name", "description", *told, "is_active"]}),
            (
                "Signature",
                {
                    "fields": ["scheme", "settings", *(secret if obj else ["new_secret"])],
                    "description": None if obj else "Leave the secret empty to have one made.",
                },
            ),
            ("Limits", {"fields": [("tolerance_s", "body_limit_bytes")]}),
            ("Handing on", {"fields": ["receivers", "publishes_as"]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep the project."""
        return ["project", "address", "stored_secret"] if obj else []

    def below_form(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Show what it told us of."""
        may_see = request.user.has_perm("integrations.view_receivedevent")
        return {"panel": panel_of(obj) if obj and may_see else None}

    def goes_along(self, obj: InboundSource) -> dict[str, int]:
        """Say how many events are deleted with it."""
        return {"received events": obj.events.count()}

    @admin.display(description="Address")
    def address(self, obj: InboundSource) -> SafeString:
        """Where the sender posts to."""
        return format_html("<code>{}</code>", address_of(obj.pk))

    @admin.display(description="Stored secret")
    def stored_secret(self, obj: InboundSource) -> SafeString | str:
        """The last four characters of a long one, a fingerprint, and never more."""
        stored: Any = obj.secret
        hint, fingerprint = stored.shown() if stored else (UNREADABLE, UNREADABLE)
        if hint == UNREADABLE:
            return "Unreadable: its encryption key is gone. Set it anew, with an overlap of 0."
        return format_html("<code>{}</code> fingerprint <code>{}</code>", hint, fingerprint)

    @admin.display(description="Handed on to")
    def listeners(self, obj: InboundSource) -> str:
        """Who has its events."""
        told = [f"message {obj.publishes_as}"] if obj.publishes_as else []
        return ", ".join([*obj.receivers, *told]) or "nobody"

    def create(self, request: HttpRequest, form: SourceForm) -> InboundSource:
        """Register a source."""
        given = {n: v for n, v in form.given().items() if n not in NOT_COLUMNS}
        typed = form.typed_secret()
        source, secret = sources.register_source(actor=self.actor(request), secret=typed, **given)
        request.made_secret = None if typed else secret  # type: ignore[attr-defined]
        return source

    def update(self, request: HttpRequest, obj: InboundSource, form: SourceForm) -> InboundSource:
        """Change a source, and exchange its secret if that is asked for: both or neither."""
        changes = {n: v for n, v in form.changed().items() if n not in NOT_COLUMNS}
        typed, actor = form.typed_secret(), self.actor(request)
        with transaction.atomic():
            source = obj
            if changes:
                source = sources.update_source(actor=actor, source=obj, changes=changes)
            if typed or form.cleaned_data.get("make_secret"):
                source, secret = rotate_secret(
                    actor=actor,
                    source=source,
                    secret=typed,
                    overlap_s=form.cleaned_data["overlap_s"],
                )
                request.made_secret = None if typed else secret  # type: ignore[attr-defined]
        return source

    def remove(self, request: HttpRequest, obj: InboundSource) -> None:
        """Remove a source and its events."""
        sources.remove_source(actor=self.actor(request), source=obj)

    def response_add(self, request: HttpRequest, obj: Any, *args: Any) -> HttpResponse:
        """Show a secret that was made."""
        return self._shown_once(request, obj) or super().response_add(request, obj, *args)

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        """Show a secret that was made."""
        return self._shown_once(request, obj) or super().response_change(request, obj)

    def _shown_once(self, request: HttpRequest, obj: InboundSource) -> HttpResponse | None:
        """Show the secret in this answer and nowhere else: no message, no cookie, no session."""
        secret = getattr(request, "made_secret", None)
        if secret is None:
            return None
        context = {
            **self.admin_site.each_context(request),
            "title": "Signing secret",
            "opts": self.opts,
            "source": obj,
            "address": address_of(obj.pk),
            "text": secret,
        }
        answer = TemplateResponse(request, "admin/integrations/inboundsource/issued.html", context)
        answer.headers["Cache-Control"] = "no-store"
        return answer
