"""Who works in which project as what."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.models import Permission
from django.http import HttpRequest

from authz.admin.audited import AuditedAdmin
from authz.identity import memberships
from authz.models import Membership

OURS = ("authz", "integrations", "registry")
INTERNAL = ("configurationrevision", "idempotencyrecord")


def api_permissions() -> Any:
    """Give the permissions that mean something in the API; the kernel's tables have no endpoint."""
    return (
        Permission.objects.filter(content_type__app_label__in=OURS)
        .exclude(content_type__model__in=INTERNAL)
        .select_related("content_type")
    )


@admin.register(Membership)
class MembershipAdmin(AuditedAdmin):
    """Users in projects."""

    list_display = ["user", "project", "role", "created_at"]
    list_filter = ["role", "project"]
    list_select_related = ["user", "project", "role"]
    search_fields = ["user__username", "project__slug"]
    autocomplete_fields = ["user", "project"]
    fields = ["user", "project", "role", "extra_permissions"]
    filter_horizontal = ["extra_permissions"]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Take along what a membership is called by."""
        return super().get_queryset(request).select_related("user", "project", "role")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep who and where: another user or project is another membership."""
        return ["user", "project"] if obj else []

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Offer what means something in the API."""
        kwargs["queryset"] = api_permissions()
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def create(self, request: HttpRequest, form: Any) -> Membership:
        """Create a membership."""
        given = form.given()
        return self._save(
            request, user=given["user"], project=given["project"], role=given["role"], form=form
        )

    def update(self, request: HttpRequest, obj: Membership, form: Any) -> Membership:
        """Change role or permissions."""
        return self._save(request, user=obj.user, project=obj.project, role=obj.role, form=form)

    def remove(self, request: HttpRequest, obj: Membership) -> None:
        """End the membership."""
        memberships.remove_membership(
            actor=self.actor(request), membership=obj, held=self.held(request)
        )

    def _save(self, request: HttpRequest, *, form: Any, **place: Any) -> Membership:
        return memberships.set_membership(
            actor=self.actor(request),
            extra_permissions=form.cleaned_data["extra_permissions"],
            held=self.held(request),
            **place,
        )
