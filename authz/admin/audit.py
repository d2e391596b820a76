"""The audit log: read, filtered, never changed."""

import json
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from authz.admin.audited import RecordAdmin
from authz.models import AuditEvent, AuditSeal, Project
from intmod_site.admin_lists import PeriodFilter, TextFilter

TONES = {"success": "good", "denied": "warn", "failed": "bad"}
LISTED_PROJECTS = 200


class OccurredFilter(PeriodFilter):
    """When."""

    column = "occurred_at"


class ActorFilter(TextFilter):
    """Who."""

    title = "actor"
    parameter_name = "actor"
    lookup = "actor_label"
    placeholder = "Exact name"


class ActionFilter(TextFilter):
    """What."""

    title = "action"
    parameter_name = "action"
    lookup = "action"
    placeholder = "modelversion.update"


class ObjectFilter(TextFilter):
    """On what."""

    title = "object"
    parameter_name = "object"
    lookup = "object_label"
    placeholder = "Exact name"


class ObjectTypeFilter(TextFilter):
    """On what kind of thing."""

    title = "kind of object"
    parameter_name = "object_type"
    lookup = "object_type"
    placeholder = "modelversion"


class ProjectIdFilter(admin.SimpleListFilter):
    """Where, for rows that keep a project's id without a foreign key."""

    title = "project"
    parameter_name = "project"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """List the projects."""
        rows = Project.objects.values_list("pk", "slug")[:LISTED_PROJECTS]
        return [(str(pk), slug) for pk, slug in rows]

    def queryset(self, request: HttpRequest, queryset: Any) -> Any:
        """Keep one project's rows."""
        try:
            return queryset.filter(project_id=UUID(self.value())) if self.value() else queryset
        except ValueError:
            return queryset.none()


@admin.register(AuditEvent)
class AuditEventAdmin(RecordAdmin):
    """Everything that was done or refused."""

    list_display = [
        "occurred_at", "actor_label", "action", "mark", "object", "project_label",
    ]  # fmt: skip
    list_filter = [
        "outcome", OccurredFilter, ActorFilter, ActionFilter, ObjectFilter, ObjectTypeFilter,
        ProjectIdFilter,
    ]  # fmt: skip
    search_fields = ["=object_id", "=request_id"]
    search_help_text = "An object's id or a request's id."
    sortable_by = ()
    fieldsets = [
        (None, {"fields": ["occurred_at", "action", "mark", "difference"]}),
        ("Who", {"fields": ["actor_label", "actor_kind", "actor_id", "credential", "address"]}),
        (
            "What",
            {"fields": ["object_label", "object_type", "object_id", "project_label", "request_id"]},
        ),
        (
            "Seal",
            {
                "fields": ["mac", "place"],
                "description": "A keyed hash over the whole event, and its place in the chain.",
            },
        ),
    ]

    @admin.display(description="Object")
    def object(self, obj: AuditEvent) -> str:
        """Kind and name of what it was done to."""
        return f"{obj.object_type} {obj.object_label}".strip() or "-"

    @admin.display(description="Outcome")
    def mark(self, obj: AuditEvent) -> SafeString:
        """How it ended."""
        return format_html(
            '<span class="mark {}">{}</span>', TONES.get(obj.outcome, "quiet"), obj.outcome
        )

    @admin.display(description="Chain")
    def place(self, obj: AuditEvent) -> str:
        """Its sequence number and the chain's hash there."""
        seal = AuditSeal.objects.filter(event_id=obj.pk).first()
        return f"{seal.seq}: {seal.chain_hash}" if seal else "Not sealed yet"

    @admin.display(description="Changes")
    def difference(self, obj: AuditEvent) -> SafeString:
        """Field by field, before and after."""
        return show_changes(obj.changes)


def show_changes(changes: dict[str, Any]) -> SafeString:
    """Show an event's changes as a table; of a denial, the reason."""
    pairs = [(name, value) for name, value in changes.items() if _is_pair(value)]
    rest = [(name, value) for name, value in changes.items() if not _is_pair(value)]
    told = format_html_join("", "<p>{}: {}</p>", rest)
    if not pairs:
        return told or format_html("{}", "-")
    rows = format_html_join(
        "",
        '<tr><th scope="row">{}</th><td class="before">{}</td><td class="after">{}</td></tr>',
        ((name, _text(before), _text(after)) for name, (before, after) in pairs),
    )
    return format_html(
        '{}<table class="difference"><thead><tr><th scope="col">Field</th>'
        '<th scope="col">Before</th><th scope="col">After</th></tr></thead>'
        "<tbody>{}</tbody></table>",
        told,
        rows,
    )


def _is_pair(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2


def _text(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
