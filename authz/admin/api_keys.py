"""API keys: issued, renamed, revoked; their text is shown once."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone

from authz.admin.audited import AuditedAdmin
from authz.admin.credential_state import LiveFilter, state
from authz.admin.key_rotation import RotationForm
from authz.admin.memberships import api_permissions
from authz.identity import keys
from authz.identity.grants import named
from authz.identity.principal import permissions_of
from authz.models import APIKey, Membership, User
from intmod_site.service_admin import REFUSALS, ServiceForm, explain


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
    change_form_template = "admin/authz/apikey/change_form.html"

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
        held, staff = self._of_user(obj), self.held(request)
        return keys.update_api_key(
            actor=self.actor(request),
            key=APIKey.objects.select_related("project").get(pk=obj.pk),
            held=held if staff is None else held & staff,
            changes=form.changed(),
        )

    def get_urls(self) -> list[URLPattern]:
        """Add the page that rotates a key."""
        view = self.admin_site.admin_view(self.rotate_view)
        return [
            path("<path:object_id>/rotate/", view, name="authz_apikey_rotate"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Offer a new text to who may have it."""
        key = self.get_object(request, unquote(object_id))
        offered = {"may_rotate": key is not None and self._may_rotate(request, key)}
        return super().change_view(request, object_id, form_url, offered | (extra_context or {}))

    def rotate_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask how long the text before still counts; give a new one and show it once."""
        found = self.get_object(request, unquote(object_id))
        if found is None:
            raise Http404
        key = APIKey.objects.select_related("user", "project").get(pk=found.pk)
        if not self._may_rotate(request, key):
            raise PermissionDenied
        form = RotationForm(request.POST or None, key=key)
        if request.method == "POST" and form.is_valid():
            staff = self.held(request)
            try:
                rotated, text = keys.rotate_api_key(
                    actor=self.actor(request),
                    key=key,
                    held=self._of_user(key) if staff is None else staff,
                    grace_s=form.cleaned_data["grace_s"],
                )
            except REFUSALS as refusal:
                for _, message in explain(refusal):
                    form.add_error(None, message)
            else:
                return self._shown_once(request, rotated, text, title="API key rotated")
        context = {
            **self.admin_site.each_context(request),
            "title": f"Rotate {key}",
            "opts": self.opts,
            "original": key,
            "form": form,
        }
        return TemplateResponse(request, "admin/authz/apikey/rotate.html", context)

    def _may_rotate(self, request: HttpRequest, key: APIKey) -> bool:
        """Whether the key counts, and its new text would make nobody another person."""
        own = key.user_id == request.user.pk or key.user.kind == User.Kind.SERVICE
        is_live = key.revoked_at is None and (
            key.expires_at is None or key.expires_at > timezone.now()
        )
        return own and is_live and self.has_change_permission(request, key)

    @staticmethod
    def _of_user(key: APIKey) -> frozenset[str]:
        membership = Membership.objects.of(user=key.user, project=key.project)
        return permissions_of(membership.pk, membership.role_id) if membership else frozenset()

    def response_add(self, request: HttpRequest, obj: Any, *args: Any) -> HttpResponse:
        """Show the text of the new key."""
        text: str = request.issued_key  # type: ignore[attr-defined]
        return self._shown_once(request, obj, text, title="API key issued")

    def _shown_once(
        self, request: HttpRequest, key: APIKey, text: str, *, title: str
    ) -> HttpResponse:
        """Show the text in this answer and nowhere else: no message, no cookie, no session."""
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "key": key,
            "text": text,
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
