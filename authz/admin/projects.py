"""Projects."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from authz.admin.audited import AuditedAdmin
from authz.identity import members
from authz.models import Project


@admin.register(Project)
class ProjectAdmin(AuditedAdmin):
    """Projects are deactivated and not deleted: everything belongs to one."""

    list_display = ["slug", "name", "is_active", "created_at"]
    list_filter = ["is_active"]
    search_fields = ["slug", "name"]
    readonly_fields = ["created_at"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask for what a new project needs."""
        return ["slug", "name", "is_active", "created_at"] if obj else ["slug", "name"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes projects."""
        return False

    def create(self, request: HttpRequest, form: Any) -> Project:
        """Create a project."""
        return members.create_project(actor=self.actor(request), **form.given())

    def update(self, request: HttpRequest, obj: Project, form: Any) -> Project:
        """Change a project."""
        return members.update_project(
            actor=self.actor(request), project=obj, changes=form.changed()
        )
