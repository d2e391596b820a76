"""API keys: issued, renamed, revoked; their text is shown once."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from authz.admin.audited import AuditedAdmin
from authz.admin.credential_state import LiveFilter, state
from authz.admin.memberships import api_permissions
from authz.identity import keys
from authz.identity.grants import named
from authz.identity.principal import permissions_of
from authz.models import APIKey, Membership
from intmod_site.service_admin import ServiceForm


class APIKeyForm(ServiceForm):
    """A key; whose it is cannot be changed."""

    scopes = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Permissions that the key keeps; none checked keeps all of the user's.",
    )

    class Meta:
        model = APIKey
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "scopes" in self.fields:
            known = {*named(api_permissions()), *(self.instance.scopes or [])}
            self.fields["scopes"].choices = [(name, name) for name in sorted(known)]  # type: ignore[attr-defined]


@admin.register(APIKey)
class APIKeyAdmin(AuditedAdmin):
    """Keys are revoked and not deleted: what was done with them stays readable."""

    form = APIKeyForm
    list_display = ["name", "public_id", "user", "project", "state", "expires_at", "last_used_at"]
    list_filter = [LiveFilter, "project"]
    list_select_related = ["user", "project"]
    search_fields = ["name", "=public_id", "user__username"]
    autocomplete_fields = ["user", "project"]
    actions = ["revoke"]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Never load the hash of a secret."""
        return super().get_queryset(request).defer("secret_hash", "previous_secret_hash")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask for what a new key needs; show what has become of an old one."""
        asked = ["user", "project", "name", "expires_at", "allowed_cidrs", "scopes"]
        return [*asked, *self._told] if obj else asked

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep whose it is, and everything about a key that has ended."""
        if obj is None:
            return []
        ended = ["name", "expires_at", "allowed_cidrs", "scopes"] if obj.revoked_at else []
        return ["user", "project", *ended, *self._told]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes keys."""
        return False

    def create(self, request: HttpRequest, form: APIKeyForm) -> APIKey:
        """Issue a key."""
        key, text = keys.create_api_key(
            actor=self.actor(request), held=self.held(request), **form.given()
        )
        request.issued_key = text  # type: ignore[attr-defined]
        return key

    def update(self, request: HttpRequest, obj: APIKey, form: APIKeyForm) -> APIKey:
        """Change name, expiry, networks or scopes; within what key's user and staff both hold."""
        membership = Membership.objects.of(user=obj.user, project=obj.project)
        held = permissions_of(membership.pk, membership.role_id) if membership else frozenset()
        staff = self.held(request)
        return keys.update_api_key(
            actor=self.actor(request),
            key=APIKey.objects.select_related("project").get(pk=obj.pk),
            held=held if staff is None else held & staff,
            changes=form.changed(),
        )

    def response_add(self, request: HttpRequest, obj: Any, *args: Any) -> HttpResponse:
        """Show the text in this answer and nowhere else: no message, no cookie, no session."""
        context = {
            **self.admin_site.each_context(request),
            "title": "API key issued",
            "opts": self.opts,
            "key": obj,
            "text": request.issued_key,  # type: ignore[attr-defined]
        }
        answer = TemplateResponse(request, "admin/authz/apikey/issued.html", context)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    @admin.action(description="Revoke: they count no more", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[APIKey]) -> None:
        """Revoke the selected keys."""
        self.for_each(
            request,
            queryset,
            lambda key: keys.revoke_api_key(actor=self.actor(request), key=key),
            "revoked",
        )

    @admin.display(description="State")
    def state(self, obj: APIKey) -> str:
        """Whether it counts."""
        return state(obj)

    _told = ("public_id", "state", "last_used_at", "previous_until", "created_at", "revoked_at")
