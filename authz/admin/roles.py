"""Roles: Django's groups, in our words."""

from typing import Any

import django.contrib.auth.admin  # noqa: F401 -- registers an admin of groups that ours replaces
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import Count
from django.http import HttpRequest, HttpResponse

from authz.admin.audited import AuditedAdmin
from authz.identity import role_changes


class RoleAdmin(AuditedAdmin):
    """Roles of memberships, and of staff."""

    list_title = "Roles"
    list_display = ["name", "permission_count", "member_count"]
    search_fields = ["name"]
    fields = ["name", "permissions"]
    filter_horizontal = ["permissions"]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Count along."""
        return (
            super()
            .get_queryset(request)
            .annotate(
                permission_count=Count("permissions", distinct=True),
                member_count=Count("memberships", distinct=True),
            )
        )

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """Take along what a permission is called by: one query instead of one for each."""
        kwargs["queryset"] = db_field.remote_field.model.objects.select_related("content_type")
        return super().formfield_for_manytomany(db_field, request, **kwargs)

    def render_change_form(
        self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Say role, not group."""
        context["title"] = str(context["title"]).replace("group", "role")
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="Permissions", ordering="permission_count")
    def permission_count(self, obj: Any) -> int:
        """How many permissions it has."""
        return int(obj.permission_count)

    @admin.display(description="Members", ordering="member_count")
    def member_count(self, obj: Any) -> int:
        """How many members have it."""
        return int(obj.member_count)

    def create(self, request: HttpRequest, form: Any) -> Group:
        """Create a role."""
        return role_changes.create_role(
            actor=self.actor(request), held=self.held(request), **form.given()
        )

    def update(self, request: HttpRequest, obj: Group, form: Any) -> Group:
        """Change a role."""
        return role_changes.update_role(
            actor=self.actor(request), role=obj, changes=form.changed(), held=self.held(request)
        )

    def remove(self, request: HttpRequest, obj: Group) -> None:
        """Delete a role."""
        role_changes.delete_role(actor=self.actor(request), role=obj)


admin.site.unregister(Group)
admin.site.register(Group, RoleAdmin)
