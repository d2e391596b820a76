"""Logins to the API: who is in, since when, from where."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from authz.admin.audited import AuditedAdmin
from authz.admin.credential_state import LiveFilter, state
from authz.identity import sessions
from authz.models import Session
from intmod_site.service_admin import ReadOnlyAdmin


@admin.register(Session)
class SessionAdmin(ReadOnlyAdmin, AuditedAdmin):
    """Sessions begin by logging in; here they end."""

    list_display = ["user", "project", "state", "refreshed_at", "expires_at", "address", "id"]
    list_filter = [LiveFilter, "project"]
    list_select_related = ["user", "project"]
    search_fields = ["user__username"]
    actions = ["end"]
    fields = readonly_fields = (
        "user", "project", "state", "scopes", "access_lifetime_s", "address", "created_at",
        "refreshed_at", "expires_at", "revoked_at", "revoked_reason",
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> Any:
        """Never load the id of the refresh token."""
        return super().get_queryset(request).defer("refresh_jti")

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Ask for what the API asks for."""
        return request.user.has_perm("authz.delete_session")

    @admin.action(description="End: their tokens count no more", permissions=["end"])
    def end(self, request: HttpRequest, queryset: QuerySet[Session]) -> None:
        """End the selected sessions."""
        self.for_each(
            request,
            queryset,
            lambda session: sessions.end_session(
                session=session, actor=self.actor(request), reason="staff"
            ),
            "ended",
        )

    @admin.display(description="State")
    def state(self, obj: Session) -> str:
        """Whether it counts."""
        return state(obj)
