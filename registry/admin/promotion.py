"""Protected aliases and approvals."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from authz.admin.audited import AuditedAdmin
from intmod_site.service_admin import ServiceForm
from registry.admin.decided import DecidedAdmin
from registry.catalog import approvals, protection
from registry.models import ApprovalRequest, ProtectedAlias


class ProtectionForm(ServiceForm):
    """What a protected alias asks for."""

    class Meta:
        model = ProtectedAlias
        fields: list[str] = []

    def clean(self) -> dict[str, Any]:
        """Read emptied lists as empty."""
        cleaned = super().clean() or self.cleaned_data
        return cleaned | {name: cleaned.get(name) or [] for name in ("movers", "gates")}


@admin.register(ProtectedAlias)
class ProtectedAliasAdmin(AuditedAdmin):
    """Aliases that move only when their gates hold."""

    form = ProtectionForm
    list_display = ["name", "project", "movers", "requires_approval", "condition", "gates"]
    list_filter = ["project"]
    list_select_related = ["project"]
    search_fields = ["name"]
    autocomplete_fields = ["project"]
    fields = ["project", "name", "movers", "requires_approval", "condition", "gates"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep the name: another one is another alias."""
        return ["project", "name"] if obj else []

    def create(self, request: HttpRequest, form: ProtectionForm) -> ProtectedAlias:
        """Protect an alias."""
        return protection.protect_alias(actor=self.actor(request), **form.given())

    def update(self, request: HttpRequest, obj: ProtectedAlias, form: Any) -> ProtectedAlias:
        """Change what it asks for."""
        return protection.update_protection(
            actor=self.actor(request), protection=obj, changes=form.changed()
        )

    def remove(self, request: HttpRequest, obj: ProtectedAlias) -> None:
        """Let it move freely again."""
        protection.unprotect_alias(actor=self.actor(request), protection=obj)


@admin.register(ApprovalRequest)
class ApprovalRequestAdmin(DecidedAdmin):
    """What waits for somebody else's eyes, and what was said."""

    decided_by = "review"
    list_display = [
        "version", "alias", "state", "requester_label", "created_at", "reviewer_label",
    ]  # fmt: skip
    list_filter = ["state", "project"]
    list_select_related = ["version__model"]
    search_fields = ["version__model__name", "alias"]
    fields = [
        "version", "alias", "state", "comment", "requester_label", "created_at", "reviewer_label",
        "review_comment", "reviewed_at",
    ]  # fmt: skip
    actions = ["approve", "reject"]
    on_page = {"approve": "Approve", "reject": "Reject"}

    def get_queryset(self, request: HttpRequest) -> Any:
        """Take along what a request is called by."""
        return super().get_queryset(request).select_related("version__model", "project")

    def offered(self, obj: ApprovalRequest) -> set[str]:
        """Answer once."""
        return super().offered(obj) if obj.state == ApprovalRequest.State.PENDING else set()

    @admin.action(description="Approve", permissions=["decide"])
    def approve(self, request: HttpRequest, queryset: QuerySet[ApprovalRequest]) -> None:
        """Approve the selected requests."""
        self.for_each(
            request,
            queryset,
            lambda row: approvals.approve(actor=self.actor(request), approval=row),
            "approved",
        )

    @admin.action(description="Reject", permissions=["decide"])
    def reject(self, request: HttpRequest, queryset: QuerySet[ApprovalRequest]) -> None:
        """Reject the selected requests."""
        self.for_each(
            request,
            queryset,
            lambda row: approvals.reject(actor=self.actor(request), approval=row),
            "rejected",
        )
