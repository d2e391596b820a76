"""Calls of models: who called what, what came of it."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from authz.admin.audit import ProjectIdFilter
from authz.admin.audited import RecordAdmin
from authz.models import Project
from intmod_site.admin_lists import PeriodFilter, TextFilter
from registry.models import InferenceRecord
from registry.tasks import TASKS


class OutcomeFilter(admin.SimpleListFilter):
    """How it ended."""

    title = "outcome"
    parameter_name = "outcome"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """By whose fault."""
        return [("ok", "Answered"), ("client", "Refused (4xx)"), ("server", "Failed (5xx)")]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> Any:
        """Keep the calls that ended so."""
        match self.value():
            case "ok":
                return queryset.filter(status__lt=400)
            case "client":
                return queryset.filter(status__gte=400, status__lt=500)
            case "server":
                return queryset.filter(status__gte=500)
        return queryset


class TaskFilter(admin.SimpleListFilter):
    """Which task; the tasks are known, so that no row needs to be read for them."""

    title = "task"
    parameter_name = "task"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """All tasks."""
        return [(task, task) for task in TASKS]

    def queryset(self, request: HttpRequest, queryset: QuerySet) -> Any:
        """Keep one task's calls."""
        return queryset.filter(task=self.value()) if self.value() else queryset


class CallerFilter(TextFilter):
    """Who."""

    title = "caller"
    parameter_name = "caller"
    lookup = "user_label"
    placeholder = "Exact name"


class ModelFilter(TextFilter):
    """Which model."""

    title = "model"
    parameter_name = "model_name"
    lookup = "model"
    placeholder = "Exact name"


@admin.register(InferenceRecord)
class InferenceRecordAdmin(RecordAdmin):
    """Every call that reached a model or was refused by one."""

    list_display = [
        "created_at", "model_version", "task", "mark", "latency", "caller", "tokens", "cost",
        "project",
    ]  # fmt: skip
    list_filter = [
        OutcomeFilter, PeriodFilter, ModelFilter, CallerFilter, TaskFilter, ProjectIdFilter,
    ]  # fmt: skip
    search_fields = ["=request_id", "=credential"]
    search_help_text = "A request's id, or a credential such as api_key:abc."
    sortable_by = ["created_at"]
    fieldsets = [
        (
            None,
            {
                "fields": [
                    "created_at",
                    "task",
                    "model_version",
                    "route",
                    "provider",
                    "policies",
                    "mark",
                ]
            },
        ),
        ("Who", {"fields": ["caller", "credential", "project", "request_id"]}),
        (
            "How much",
            {
                "fields": [
                    "latency",
                    "first_token_ms",
                    "overhead_ms",
                    "tries",
                    "from_cache",
                    "is_stream",
                    "input_tokens",
                    "cached_tokens",
                    "output_tokens",
                    "is_estimated",
                    "cost",
                    "finish_reason",
                ]
            },
        ),
        (
            "Texts",
            {
                "fields": ["request_text", "answer_text"],
                "description": "Kept, redacted, only where the version says so.",
            },
        ),
    ]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Take along the project's name; leave texts out of the list."""
        slug = Project.objects.filter(pk=OuterRef("project_id")).values("slug")[:1]
        rows = super().get_queryset(request).annotate(project_slug=Subquery(slug))
        if self.is_view(request, "changelist"):
            return rows.defer("request_text", "answer_text")
        return rows

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """Let a version's page link to its calls."""
        return lookup == "version_id" or super().lookup_allowed(lookup, value, request)

    @admin.display(description="Model")
    def model_version(self, obj: InferenceRecord) -> str:
        """Name and number."""
        return f"{obj.model}:{obj.version}" if obj.model else "-"

    @admin.display(description="Outcome")
    def mark(self, obj: InferenceRecord) -> SafeString:
        """Status and error code."""
        tone = "good" if obj.status < 400 else "warn" if obj.status < 500 else "bad"
        return format_html('<span class="mark {}">{}</span> {}', tone, obj.status, obj.error_code)

    @admin.display(description="Caller")
    def caller(self, obj: InferenceRecord) -> str:
        """Name at the time."""
        return obj.user_label

    @admin.display(description="Tokens in / out")
    def tokens(self, obj: InferenceRecord) -> str:
        """Input and output; a dash where nobody knows."""
        if obj.input_tokens is None:
            return "-"
        about = "≈ " if obj.is_estimated else ""
        return f"{about}{obj.input_tokens:,} / {obj.output_tokens or 0:,}"

    @admin.display(description="Latency")
    def latency(self, obj: InferenceRecord) -> str:
        """In milliseconds."""
        return f"{obj.latency_ms:,.1f} ms"

    @admin.display(description="Cost")
    def cost(self, obj: InferenceRecord) -> str:
        """In dollars; a dash where the price is unknown."""
        return "-" if obj.cost_usd is None else f"${obj.cost_usd:.6f}"

    @admin.display(description="Project")
    def project(self, obj: Any) -> str:
        """Where, by its present name."""
        return obj.project_slug or str(obj.project_id)
