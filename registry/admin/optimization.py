"""Optimization rules and their recommendations."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from authz.admin.audited import AuditedAdmin
from intmod_site.service_admin import ServiceForm
from registry.admin.decided import DecidedAdmin
from registry.models import OptimizationRule, Recommendation
from registry.monitoring.optimization import recommendations, rules


class RuleForm(ServiceForm):
    """A rule."""

    class Meta:
        model = OptimizationRule
        fields: list[str] = []

    def clean(self) -> dict[str, Any]:
        """Read emptied parameters as none."""
        cleaned = super().clean() or self.cleaned_data
        return cleaned | {"parameters": cleaned.get("parameters") or {}}


@admin.register(OptimizationRule)
class OptimizationRuleAdmin(AuditedAdmin):
    """What finds recommendations."""

    form = RuleForm
    list_display = ["name", "project", "condition", "finder", "action", "is_active", "last_error"]
    list_filter = ["action", "is_active", "project"]
    list_select_related = ["project"]
    search_fields = ["name"]
    autocomplete_fields = ["project"]
    fields = [
        "project", "name", "condition", "finder", "action", "parameters", "expires_after_days",
        "is_active", "last_error",
    ]  # fmt: skip

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep project and name."""
        return ["project", "name", "last_error"] if obj else ["last_error"]

    def create(self, request: HttpRequest, form: RuleForm) -> OptimizationRule:
        """Add a rule."""
        return rules.add_optimization_rule(actor=self.actor(request), **form.given())

    def update(self, request: HttpRequest, obj: OptimizationRule, form: Any) -> OptimizationRule:
        """Change a rule."""
        return rules.update_rule(actor=self.actor(request), rule=obj, changes=form.changed())

    def remove(self, request: HttpRequest, obj: OptimizationRule) -> None:
        """Remove a rule."""
        rules.delete_rule(actor=self.actor(request), rule=obj)

    def goes_along(self, obj: OptimizationRule) -> dict[str, int]:
        """Recommendations go with their rule."""
        return {"recommendations": obj.recommendations.count()}


@admin.register(Recommendation)
class RecommendationAdmin(DecidedAdmin):
    """What could be better, newest first."""

    list_display = ["text", "version", "action", "state", "created_at", "decided_by"]
    list_filter = ["state", "action", "project"]
    list_select_related = ["version__model"]
    search_fields = ["text", "version__model__name"]
    ordering = ["-id"]
    fields = [
        "rule", "version", "action", "parameters", "text", "evidence", "expected_change", "state",
        "created_at", "expires_at", "decided_at", "decided_by",
    ]  # fmt: skip
    actions = ["apply", "dismiss"]
    on_page = {"apply": "Apply", "dismiss": "Dismiss"}

    def get_queryset(self, request: HttpRequest) -> Any:
        """Take along what a recommendation is about."""
        rows = super().get_queryset(request)
        return rows.select_related("rule", "version__model", "project")

    def offered(self, obj: Recommendation) -> set[str]:
        """Decide about what is not decided."""
        return super().offered(obj) if obj.state in recommendations.DECIDABLE else set()

    def has_apply_permission(self, request: HttpRequest) -> bool:
        """Who may do what is recommended: whoever could do it by hand."""
        needed = ("change_recommendation", "change_modelversion", "add_modelversion",
                  "change_modelalias")  # fmt: skip
        return request.user.has_perms([f"registry.{name}" for name in needed])

    @admin.action(description="Apply", permissions=["apply"])
    def apply(self, request: HttpRequest, queryset: QuerySet[Recommendation]) -> None:
        """Do what is recommended."""
        self.for_each(
            request,
            queryset,
            lambda row: recommendations.apply(actor=self.actor(request), recommendation=row),
            "applied",
        )

    @admin.action(description="Dismiss", permissions=["decide"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[Recommendation]) -> None:
        """Say that it will not be done."""
        self.for_each(
            request,
            queryset,
            lambda row: recommendations.dismiss(actor=self.actor(request), recommendation=row),
            "dismissed",
        )
