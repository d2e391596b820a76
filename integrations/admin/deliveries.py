"""Deliveries of webhook messages, each with the timeline of its attempts."""

from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from authz.admin.audit import ProjectIdFilter
from authz.admin.audited import RecordAdmin
from authz.models import Project
from integrations.admin.buttons import Button, ButtonedAdmin
from integrations.admin.endpoint_panel import TONES
from integrations.models import WebhookDelivery
from integrations.webhooks.replays import replay_delivery
from integrations.webhooks.timeline import with_latest_attempts
from intmod_site.admin_lists import PeriodFilter, TextFilter

REPLAY = "integrations.replay_webhookdelivery"


class MessageIdFilter(TextFilter):
    """Of which message."""

    title = "message"
    parameter_name = "message"
    lookup = "message__message_id"
    placeholder = "Exact id"


class EventTypeFilter(TextFilter):
    """Of which type."""

    title = "event type"
    parameter_name = "type"
    lookup = "message__event_type"
    placeholder = "order.created"


def _resend(page: Any, request: HttpRequest, obj: WebhookDelivery) -> str:
    replay_delivery(actor=page.actor(request), delivery=obj)
    return "It is sent again now, under the same webhook-id."


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ButtonedAdmin, RecordAdmin):
    """How far each message came with each endpoint."""

    list_display = ["created_at", "event_type", "endpoint", "mark", "attempt_count", "project"]
    list_filter = ["state", PeriodFilter, MessageIdFilter, EventTypeFilter, ProjectIdFilter]
    list_select_related = ["endpoint", "message"]
    sortable_by = ["created_at"]
    change_form_template = "admin/integrations/webhookdelivery/change_form.html"
    fieldsets = [
        (None, {"fields": ["message", "event_type", "endpoint", "project", "mark"]}),
        ("When", {"fields": ["created_at", "next_attempt_at", "ended_at"]}),
        ("How often", {"fields": ["attempt_count", "replay_count", "sequence"]}),
    ]
    buttons = (Button("resend", "Send again now", REPLAY, _resend),)

    def get_queryset(self, request: HttpRequest) -> Any:
        """Take along the project's name; leave the bodies out."""
        slug = Project.objects.filter(pk=OuterRef("project_id")).values("slug")[:1]
        rows: QuerySet[Any] = super().get_queryset(request)
        return (
            rows.select_related("endpoint", "message")
            .annotate(project_slug=Subquery(slug))
            .defer("message__body")
        )

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """Let an endpoint's page link to its deliveries."""
        return lookup == "endpoint_id" or super().lookup_allowed(lookup, value, request)

    def below_form(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Show the attempts."""
        return {"attempts": with_latest_attempts(obj).latest_attempts if obj else []}

    @admin.display(description="Event type")
    def event_type(self, obj: WebhookDelivery) -> SafeString:
        """What it tells of."""
        return format_html("<code>{}</code>", obj.message.event_type)

    @admin.display(description="State", ordering="state")
    def mark(self, obj: WebhookDelivery) -> SafeString:
        """How far it came."""
        return format_html(
            '<span class="mark {}">{}</span> {}',
            TONES[obj.state],
            obj.get_state_display(),
            obj.last_error_code,
        )

    @admin.display(description="Project")
    def project(self, obj: Any) -> str:
        """Its name, while it is there."""
        return obj.project_slug or str(obj.project_id)
