"""What projects and their API keys may call."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from authz.admin.audited import AuditedAdmin
from authz.limits import call_limits
from authz.models import CallLimit
from intmod_site.service_admin import ServiceForm


class LimitForm(ServiceForm):
    """A limit."""

    class Meta:
        model = CallLimit
        fields: list[str] = []


@admin.register(CallLimit)
class CallLimitAdmin(AuditedAdmin):
    """Rates, parallel calls and budgets."""

    form = LimitForm
    list_display = [
        "__str__", "project", "requests_per_minute", "tokens_per_minute", "parallel_calls",
        "budget_usd", "budget_window",
    ]  # fmt: skip
    list_filter = ["project"]
    list_select_related = ["project", "api_key"]
    search_fields = ["project__slug", "api_key__name"]
    autocomplete_fields = ["project", "api_key"]
    fieldsets = [
        (None, {"fields": ["project", "api_key"]}),
        ("Rates", {"fields": [("requests_per_minute", "tokens_per_minute"), "parallel_calls"]}),
        ("Budget", {"fields": [("budget_usd", "budget_window")]}),
    ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep whose it is."""
        return ["project", "api_key"] if obj else []

    def create(self, request: HttpRequest, form: LimitForm) -> CallLimit:
        """Set a limit."""
        return call_limits.create_call_limit(actor=self.actor(request), **form.given())

    def update(self, request: HttpRequest, obj: CallLimit, form: LimitForm) -> CallLimit:
        """Change a limit."""
        return call_limits.update_call_limit(
            actor=self.actor(request), limit=obj, changes=form.changed()
        )

    def remove(self, request: HttpRequest, obj: CallLimit) -> None:
        """Allow everything again."""
        call_limits.delete_call_limit(actor=self.actor(request), limit=obj)
