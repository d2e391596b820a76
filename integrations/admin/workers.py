"""Workers: who is alive, and below, what there is to do, what runs by the clock, what failed."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.timesince import timesince

from integrations.admin.workers_panel import panel
from integrations.models import Worker
from intmod_site.service_admin import ReadOnlyAdmin


@admin.register(Worker)
class WorkerAdmin(ReadOnlyAdmin):
    """Processes that run jobs; they write their rows themselves."""

    change_list_template = "admin/integrations/worker/change_list.html"
    change_form_template = "admin/record.html"
    list_display = ["place", "mark", "busy", "started_at", "seen_at"]
    search_fields = ["host", "executor_id"]
    sortable_by = ["place", "started_at", "seen_at"]
    fieldsets = [
        (None, {"fields": ["executor_id", "mark", "host", "pid", "shown_queues", "concurrency"]}),
        ("Life", {"fields": ["started_at", "seen_at", "ended_at", "swept_at"]}),
        ("Under way", {"fields": ["shown_jobs"]}),
    ]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Add what the workers have to do."""
        return super().changelist_view(request, {"panel": panel()} | (extra_context or {}))

    @admin.display(description="Worker", ordering="host")
    def place(self, obj: Worker) -> str:
        """Where it runs, and as which process."""
        return f"{obj.host}, process {obj.pid}"

    @admin.display(description="State")
    def mark(self, obj: Worker) -> SafeString:
        """Alive, ended by itself, or not heard of."""
        if obj.is_alive:
            tone, text = "good", "Alive"
        elif obj.ended_at is not None:
            tone, text = "quiet", "Ended"
        else:
            tone, text = "bad", f"Silent for {timesince(obj.seen_at, timezone.now(), depth=1)}"
        return format_html('<span class="mark {}">{}</span>', tone, text)

    @admin.display(description="Jobs under way")
    def busy(self, obj: Worker) -> str:
        """How many, and which."""
        names = sorted({str(job.get("job", "")) for job in obj.doing})
        return f"{len(obj.doing)}: {', '.join(names)}" if names else "-"

    @admin.display(description="Queues")
    def shown_queues(self, obj: Worker) -> str:
        """Those that it serves."""
        return ", ".join(obj.queues)

    @admin.display(description="Jobs")
    def shown_jobs(self, obj: Worker) -> str:
        """Each with its step."""
        lines = ((job.get("job"), job.get("step") or "begins", job.get("workflow_id"))
                 for job in obj.doing)  # fmt: skip
        return format_html_join("", "<p>{}: {} (<code>{}</code>)</p>", lines) or "-"
