"""People and service accounts."""

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from authz.admin.audited import AuditedAdmin
from authz.identity import members
from authz.models import User
from intmod_site.service_admin import ServiceForm

POWERS = ("is_staff", "is_superuser", "groups")
"""What only superusers hand out: everybody else could hand it to themselves."""


class UserForm(ServiceForm):
    """A user; passwords are typed and never shown, not even as hashes."""

    new_password = forms.CharField(
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text="Leave empty to keep the present one. A new password ends all sessions. "
        "Service accounts have none: give them an API key.",
    )
    repeat_password = forms.CharField(
        required=False,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    groups = forms.ModelMultipleChoiceField(
        Group.objects.order_by("name"),
        required=False,
        label="Roles in the admin",
        widget=forms.CheckboxSelectMultiple,
        help_text="What staff may do here, in all projects. In the API, memberships count.",
    )
    shown_as = {"password": "new_password"}

    class Meta:
        model = User
        fields: list[str] = []

    def clean(self) -> dict[str, Any]:
        """Compare the two passwords."""
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("new_password") != cleaned.get("repeat_password"):
            raise ValidationError({"repeat_password": "The two passwords are not the same."})
        if cleaned.get("new_password") and cleaned.get("kind") == User.Kind.SERVICE:
            raise ValidationError({"new_password": "A service account has no password."})
        return cleaned

    def given(self) -> dict[str, Any]:
        """Give the values of the columns."""
        return _without_passwords(super().given())

    def changed(self) -> dict[str, Any]:
        """Give the changed columns."""
        return _without_passwords(super().changed())


@admin.register(User)
class UserAdmin(AuditedAdmin):
    """Users are deactivated and not deleted: what they did stays theirs."""

    form = UserForm
    list_display = ["username", "full_name", "kind", "is_active", "is_staff", "last_login"]
    list_filter = ["kind", "is_active", "is_staff", "is_superuser"]
    search_fields = ["username", "full_name", "email"]
    autocomplete_fields = ["owner"]
    actions = ["activate", "deactivate"]
    readonly_fields = ["last_login", "created_at"]
    fieldsets = [
        (None, {"fields": ["username", "kind", "full_name", "email", "owner", "is_active"]}),
        ("Password", {"fields": ["new_password", "repeat_password"]}),
        ("Admin", {"fields": ["is_staff", "is_superuser", "groups"]}),
        ("Times", {"fields": ["last_login", "created_at"]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep what superusers hand out from everybody else."""
        powers = () if request.user.is_superuser else POWERS
        return [*self.readonly_fields, *powers]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only superusers change superusers."""
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes users."""
        return False

    def create(self, request: HttpRequest, form: UserForm) -> User:
        """Create a user."""
        password = form.cleaned_data["new_password"] or None
        return members.create_user(actor=self.actor(request), password=password, **form.given())

    def update(self, request: HttpRequest, obj: User, form: UserForm) -> User:
        """Change a user."""
        return members.update_user(
            actor=self.actor(request),
            user=obj,
            changes=form.changed(),
            password=form.cleaned_data["new_password"] or None,
            held=self.held(request),
        )

    @admin.action(description="Deactivate: they can do nothing more", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Deactivate the selected users."""
        self._set_active(request, queryset, active=False)

    @admin.action(description="Activate again", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        """Activate the selected users."""
        self._set_active(request, queryset, active=True)

    def _set_active(self, request: HttpRequest, queryset: QuerySet[User], *, active: bool) -> None:
        if not request.user.is_superuser:
            queryset = queryset.filter(is_superuser=False)
        self.for_each(
            request,
            queryset,
            lambda user: members.update_user(
                actor=self.actor(request), user=user, changes={"is_active": active}
            ),
            "activated" if active else "deactivated",
        )


def _without_passwords(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if not name.endswith("_password")}
