"""Alerts: looked at, acknowledged, silenced for a while."""

from datetime import timedelta
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from registry.admin.decided import DecidedAdmin
from registry.models import Alert
from registry.models.thresholds import OPEN_STATES
from registry.monitoring.alerting import handling

TONES = {"FIRING": "bad", "RECOVERING": "warn", "PENDING": "warn", "RESOLVED": "good"}
HOUR = timedelta(hours=1)


@admin.register(Alert)
class AlertAdmin(DecidedAdmin):
    """What was found, newest first."""

    list_display = [
        "__str__", "standing", "severity", "value", "limit", "started_at", "resolved_at",
        "acknowledged_by", "is_silenced",
    ]  # fmt: skip
    list_filter = ["state", "severity", "project"]
    list_select_related = [
        "threshold__model", "threshold__version__model", "threshold__integration",
    ]  # fmt: skip
    search_fields = ["message", "threshold__metric"]
    ordering = ["-id"]
    fields = [
        "threshold", "version", "state", "severity", "value", "limit", "message", "started_at",
        "fired_at", "resolved_at", "evaluated_at", "notified_at", "is_silenced",
        "acknowledged_at", "acknowledged_by",
    ]  # fmt: skip
    actions = ["acknowledge", "silence"]
    on_page = {"acknowledge": "Acknowledge", "silence": "Silence for an hour"}

    def get_queryset(self, request: HttpRequest) -> Any:
        """Take along what an alert is called by."""
        rows = super().get_queryset(request)
        return rows.select_related(*self.list_select_related, "project", "version__model")

    def offered(self, obj: Alert) -> set[str]:
        """Say nothing more about what is over, and acknowledge once."""
        if obj.state not in OPEN_STATES:
            return set()
        return {"silence"} if obj.acknowledged_at else {"acknowledge", "silence"}

    def has_silence_permission(self, request: HttpRequest) -> bool:
        """Who may silence."""
        return request.user.has_perm("registry.add_silence")

    @admin.display(description="State", ordering="state")
    def standing(self, obj: Alert) -> SafeString:
        """Where it stands."""
        tone, word = TONES.get(obj.state, "quiet"), obj.get_state_display().lower()
        return format_html('<span class="mark {}">{}</span>', tone, word)

    @admin.action(description="Acknowledge: somebody knows", permissions=["decide"])
    def acknowledge(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        """Acknowledge the selected alerts."""
        self.for_each(
            request,
            queryset,
            lambda row: handling.acknowledge(actor=self.actor(request), alert=row),
            "acknowledged",
        )

    @admin.action(description="Silence their thresholds for an hour", permissions=["silence"])
    def silence(self, request: HttpRequest, queryset: QuerySet[Alert]) -> None:
        """Silence the thresholds of the selected alerts."""
        self.for_each(
            request,
            {row.threshold_id: row for row in queryset}.values(),
            lambda row: handling.silence(
                actor=self.actor(request),
                project=row.project,
                threshold=row.threshold,
                ends_at=timezone.now() + HOUR,
                comment="From the list of alerts.",
            ),
            "silenced",
        )
