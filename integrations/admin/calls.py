"""The log of calls of external systems."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from authz.admin.audit import ProjectIdFilter
from authz.admin.audited import RecordAdmin
from authz.models import Project
from integrations.models import CallRecord
from intmod_site.admin_lists import PeriodFilter, TextFilter


class ErrorFilter(admin.SimpleListFilter):
    """How it ended."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Well, badly, not at all."""
        return [("ok", "Answered well"), ("error", "Failed"), ("refused", "Not made")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> Any:
        """Keep the attempts that ended so."""
        match self.value():
            case "ok":
                return queryset.filter(is_error=False)
            case "error":
                return queryset.filter(is_error=True, attempt__gt=0)
            case "refused":
                return queryset.filter(attempt=0)
        return queryset


class IntegrationFilter(TextFilter):
    """Of which integration."""

    title = "integration"
    parameter_name = "integration"
    lookup = "integration_name"
    placeholder = "Exact name"


class CallerFilter(TextFilter):
    """Who."""

    title = "caller"
    parameter_name = "caller"
    lookup = "actor_label"
    placeholder = "Exact name"


@admin.register(CallRecord)
class CallRecordAdmin(RecordAdmin):
    """Every attempt to call an external system, and every call refused before one."""

    list_display = [
        "created_at", "integration_name", "request_line", "mark", "latency", "attempt", "caller",
        "project",
    ]  # fmt: skip
    list_filter = [ErrorFilter, PeriodFilter, IntegrationFilter, CallerFilter, ProjectIdFilter]
    search_fields = ["=request_id", "=credential"]
    search_help_text = "A request's id, or a credential such as api_key:abc."
    sortable_by = ["created_at"]
    fieldsets = [
        (None, {"fields": ["created_at", "integration_name", "request_line", "mark", "error"]}),
        ("Who", {"fields": ["caller", "credential", "project", "request_id"]}),
        ("How much", {"fields": ["latency", "attempt", "response_bytes"]}),
        (
            "Bodies",
            {
                "fields": ["request_text", "response_text"],
                "description": "Beginnings, redacted, only where the integration keeps them.",
            },
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Take along the project's name; leave texts out of the list."""
        slug = Project.objects.filter(pk=OuterRef("project_id")).values("slug")[:1]
        rows = super().get_queryset(request).annotate(project_slug=Subquery(slug))
        if self.is_view(request, "changelist"):
            return rows.defer("request_text", "response_text")
        return rows

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """Let an integration's page link to its calls."""
        return lookup == "integration_id" or super().lookup_allowed(lookup, value, request)

    @admin.display(description="Request")
    def request_line(self, obj: CallRecord) -> SafeString:
        """Method and endpoint."""
        return format_html("<code>{} {}</code>", obj.method, obj.endpoint)

    @admin.display(description="Outcome")
    def mark(self, obj: CallRecord) -> SafeString:
        """Status and error code."""
        tone = ("warn" if obj.attempt == 0 else "bad") if obj.is_error else "good"
        return format_html(
            '<span class="mark {}">{}</span> {}', tone, obj.status or "none", obj.error_code
        )

    @admin.display(description="Latency")
    def latency(self, obj: CallRecord) -> str:
        """In milliseconds."""
        return f"{obj.latency_ms:,.1f} ms"

    @admin.display(description="Caller")
    def caller(self, obj: CallRecord) -> str:
        """Name at the time."""
        return obj.actor_label

    @admin.display(description="Project")
    def project(self, obj: Any) -> str:
        """Its name, while it is there."""
        return obj.project_slug or str(obj.project_id)
