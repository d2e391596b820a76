"""Events that were received: read, filtered, replayed."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.safestring import SafeString

from integrations.admin.buttons import Button, ButtonedAdmin
from integrations.models import ReceivedEvent
from integrations.webhooks.inbound.replaying import replay
from intmod_site.admin_lists import PeriodFilter, TextFilter
from intmod_site.service_admin import ReadOnlyAdmin

TONES = {"kept": "quiet", "waiting": "warn", "handled": "good", "failed": "bad"}
REPLAY = "integrations.replay_receivedevent"


class SourceFilter(TextFilter):
    """Of which source."""

    title = "source"
    parameter_name = "source"
    lookup = "source__name"
    placeholder = "Exact name"


class TypeFilter(TextFilter):
    """Of which type."""

    title = "type"
    parameter_name = "type"
    lookup = "event_type"
    placeholder = "Exact type"


class ReceivedPeriodFilter(PeriodFilter):
    """When it came."""

    column = "received_at"


def _replay(page: Any, request: HttpRequest, obj: ReceivedEvent) -> str:
    replay(actor=page.actor(request), event=obj)
    return "It is handed on once more."


def _is_not_waiting(obj: ReceivedEvent) -> bool:
    return obj.state != ReceivedEvent.State.WAITING


@admin.register(ReceivedEvent)
class ReceivedEventAdmin(ReadOnlyAdmin, ButtonedAdmin):
    """What we were told, as it came."""

    change_form_template = "admin/integrations/receivedevent/change_form.html"
    buttons = (Button("replay", "Hand on once more", REPLAY, _replay, _is_not_waiting),)

    list_display = [
        "received_at", "source", "event_type", "event_id", "mark", "attempts", "project",
    ]  # fmt: skip
    list_filter = ["state", ReceivedPeriodFilter, SourceFilter, TypeFilter, "project"]
    list_select_related = ["source", "project"]
    search_fields = ["=event_id", "=request_id", "=message_id"]
    search_help_text = "What the sender calls it, or the id of a request or message."
    sortable_by = ["received_at"]
    actions = ["replay_events"]
    fieldsets = [
        (None, {"fields": ["source", "event_type", "event_id", "received_at", "sent_at"]}),
        (
            "Handed on",
            {
                "fields": [
                    "mark", "handled_by", "message_id", "handled_at", "attempts", "next_at",
                    "error", "run",
                ]
            },
        ),
        (
            "Whence",
            {
                "fields": [
                    "project", "address", "user_agent", "content_type", "request_id", "policies",
                ]
            },
        ),
        ("Body", {"fields": ["shown_body"]}),
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> Any:
        """Leave bodies out of the list."""
        rows = super().get_queryset(request)
        return rows.defer("body") if self.is_view(request, "changelist") else rows

    def lookup_allowed(self, lookup: str, value: str, request: Any = None) -> bool:
        """Let a source's page link to its events."""
        return lookup == "source_id" or super().lookup_allowed(lookup, value, request)

    @admin.display(description="State", ordering="state")
    def mark(self, obj: ReceivedEvent) -> SafeString:
        """What became of it."""
        return format_html(
            '<span class="mark {}">{}</span> {}',
            TONES[obj.state],
            obj.get_state_display(),
            obj.error[:100],
        )

    @admin.display(description="Body")
    def shown_body(self, obj: ReceivedEvent) -> SafeString:
        """As it came."""
        return format_html('<pre class="snippet">{}</pre>', obj.body)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        """Whoever may replay."""
        return bool(request.user.has_perm(REPLAY))

    @admin.action(description="Hand on once more", permissions=["replay"])
    def replay_events(self, request: HttpRequest, queryset: QuerySet[ReceivedEvent]) -> None:
        """Replay the selected events."""
        self.for_each(
            request,
            queryset,
            lambda event: replay(actor=self.actor(request), event=event),
            "waiting to be handed on",
        )
