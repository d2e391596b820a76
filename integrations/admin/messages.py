"""What was published: event types and messages."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from authz.admin.audited import AuditedAdmin, RecordAdmin
from integrations.models import EventType, WebhookMessage
from integrations.webhooks import catalogue
from integrations.webhooks.endpoints import SEES_AUDIT
from integrations.webhooks.names import AUDIT
from intmod_site.admin_lists import PeriodFilter, TextFilter
from intmod_site.service_admin import ServiceForm


class EventTypeForm(ServiceForm):
    """An event type."""

    class Meta:
        model = EventType
        fields: list[str] = []


_FIELDS = ["project", "name", "description", "schema", "is_archived"]


@admin.register(EventType)
class EventTypeAdmin(AuditedAdmin):
    """The catalogue: the projects' own types and the product's."""

    form = EventTypeForm
    list_display = ["name", "project", "description", "has_schema", "is_archived"]
    list_filter = ["is_archived", "project"]
    list_select_related = ["project"]
    search_fields = ["name"]
    autocomplete_fields = ["project"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Give them in order."""
        return _FIELDS

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep project and name, and all of a built-in one."""
        if obj is None:
            return []
        return ["project", "name"] if obj.project_id else _FIELDS

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Ask for a project: only the product's own types have none."""
        form = super().get_form(request, *args, **kwargs)
        if "project" in form.base_fields:
            form.base_fields["project"].required = True
        return form

    def create(self, request: HttpRequest, form: EventTypeForm) -> EventType:
        """Put a type into a catalogue."""
        return catalogue.create_event_type(actor=self.actor(request), **form.given())

    def update(self, request: HttpRequest, obj: EventType, form: EventTypeForm) -> EventType:
        """Change a type."""
        return catalogue.update_event_type(
            actor=self.actor(request), event_type=obj, changes=form.changed()
        )

    def remove(self, request: HttpRequest, obj: EventType) -> None:
        """Remove a type."""
        catalogue.remove_event_type(actor=self.actor(request), event_type=obj)

    @admin.display(description="Schema", boolean=True)
    def has_schema(self, obj: EventType) -> bool:
        """Whether its data is checked."""
        return obj.schema is not None


class TypeFilter(TextFilter):
    """Of which type."""

    title = "event type"
    parameter_name = "type"
    lookup = "event_type"
    placeholder = "order.created"


@admin.register(WebhookMessage)
class WebhookMessageAdmin(RecordAdmin):
    """Every event that was told."""

    list_display = ["created_at", "message_id", "type_name", "published_by", "project"]
    list_filter = [PeriodFilter, TypeFilter, "project"]
    list_select_related = ["project"]
    search_fields = ["=message_id", "=request_id"]
    search_help_text = "A message's or a request's id."
    sortable_by = ["created_at"]
    fieldsets = [
        (None, {"fields": ["message_id", "type_name", "created_at", "project"]}),
        ("By whom", {"fields": ["published_by", "request_id"]}),
        ("What is sent", {"fields": ["body_text"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Without what the audit log told, for those who may not read the log."""
        rows = super().get_queryset(request).select_related("project")
        if self.is_view(request, "changelist"):
            rows = rows.defer("body")
        if request.user.has_perm(SEES_AUDIT):
            return rows
        return rows.exclude(event_type__startswith=AUDIT)

    @admin.display(description="Event type")
    def type_name(self, obj: WebhookMessage) -> SafeString:
        """What it tells of."""
        return format_html("<code>{}</code>", obj.event_type)

    @admin.display(description="Body")
    def body_text(self, obj: WebhookMessage) -> SafeString:
        """The very text."""
        return format_html('<pre class="snippet">{}</pre>', obj.body)
