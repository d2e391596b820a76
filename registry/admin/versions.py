"""Versions: what can be called."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from intmod_site.admin_lists import TextFilter
from registry.admin.acting import ActingAdmin
from registry.admin.comparison import compare
from registry.admin.version_charts import metric_cards
from registry.admin.version_form import VersionForm
from registry.catalog import aliases, versions
from registry.catalog.resolution import DEFAULT_ALIAS
from registry.models import ModelVersion
from registry.models.thresholds import OPEN_STATES
from registry.monitoring.alerting.checks import check, thresholds_of
from registry.monitoring.optimization.recommendations import optimize

CHAMPION = "champion"
LISTED = 10
CHECKED_AT_MOST = 50


class ProviderFilter(TextFilter):
    """Whose it is; listing all providers would read the whole table."""

    title = "provider"
    parameter_name = "provider"
    lookup = "provider"
    placeholder = "openai"


@admin.register(ModelVersion)
class ModelVersionAdmin(ActingAdmin):
    """Versions are deactivated and not deleted: calls and measurements refer to them."""

    form = VersionForm
    change_form_template = "admin/registry/modelversion/change_form.html"
    list_display = [
        "__str__", "identifier", "label", "provider", "provider_model", "can_do", "state",
        "project", "created_at",
    ]  # fmt: skip
    list_filter = ["is_active", "status", ProviderFilter, "model__model_type", "project"]
    list_select_related = ["model", "project"]
    search_fields = ["model__name", "identifier", "provider_model"]
    # The last registered first: ids grow with time, and theirs is the index at hand.
    ordering = ["-id"]
    autocomplete_fields = ["model", "integration"]
    actions = [
        "deactivate", "activate", "make_default", "make_champion", "check_now", "optimize_now",
        "compare_two",
    ]  # fmt: skip
    on_page = {
        "make_champion": "Make it the champion", "make_default": "Make it the default",
        "check_now": "Check", "optimize_now": "Look for what could be better",
        "deactivate": "Deactivate", "activate": "Activate again",
    }  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> Any:
        """Take the model along, which gives a version its name."""
        return (
            super()
            .get_queryset(request)
            .filter(model__deleted_at=None)
            .select_related("model", "project")
        )

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Ask for what a new version needs; the first two fields stay as they are afterwards."""
        state = [("is_active", "status"), "body_logging"]
        return [
            (None, {"fields": ["model", "identifier", "label", "description"]}),
            ("Provider", {"fields": ["provider", "provider_model", "integration", "source"]}),
            (
                "Calls",
                {
                    "fields": [
                        "tasks",
                        "parameters",
                        "max_tokens_limit",
                        "cache_ttl_s",
                        "body_logging",
                    ]
                },
            ),
            (
                "Prices",
                {
                    "fields": [
                        ("input_usd_per_mtok", "output_usd_per_mtok"),
                        ("cached_input_usd_per_mtok", "cache_write_usd_per_mtok"),
                    ],
                    "description": "All empty: the list price, if the provider's address is known.",
                },
            ),
            ("More", {"fields": ["tags", *(state[:1] if obj else [])]}),
        ]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep what calls and measurements were made with."""
        return ["model", "identifier", "provider", "provider_model"] if obj else []

    def offered(self, obj: ModelVersion) -> set[str]:
        """Switch to the state that it is not in."""
        return super().offered(obj) - {"activate" if obj.is_active else "deactivate"}

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes versions."""
        return False

    def has_alias_permission(self, request: HttpRequest) -> bool:
        """Who may move aliases."""
        return request.user.has_perm("registry.change_modelalias")

    @admin.display(description="Tasks")
    def can_do(self, obj: ModelVersion) -> str:
        """What it can be asked to do."""
        return ", ".join(obj.tasks) or "-"

    @admin.display(description="State", ordering="is_active")
    def state(self, obj: ModelVersion) -> SafeString:
        """Whether it answers calls."""
        if obj.status != ModelVersion.Status.READY:
            word, tone = obj.get_status_display().lower(), "warn"
        else:
            word, tone = ("active", "good") if obj.is_active else ("inactive", "quiet")
        return format_html('<span class="mark {}">{}</span>', tone, word)

    def create(self, request: HttpRequest, form: VersionForm) -> ModelVersion:
        """Give the model its next version."""
        return versions.create_version(actor=self.actor(request), **form.given())

    def update(self, request: HttpRequest, obj: ModelVersion, form: VersionForm) -> ModelVersion:
        """Change a version."""
        return versions.update_version(
            actor=self.actor(request), version=obj, changes=form.changed()
        )

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show current measurements and aliases below the form."""
        version = self.get_object(request, unquote(object_id))
        panel: dict[str, Any] = {"version": version}
        if version is not None:
            watching = list(thresholds_of(version))
            panel |= {
                "metrics": sorted(version.performance_metrics.items()),
                "metric_cards": metric_cards(version, watching),
                "thresholds": watching,
                "alerts": version.alerts.filter(state__in=OPEN_STATES).select_related(
                    "threshold__model", "threshold__version__model", "threshold__integration"
                )[:LISTED],
                "recommendations": version.recommendations.filter(state="OPEN")[:LISTED],
            }
        return super().change_view(request, object_id, form_url, panel | (extra_context or {}))

    @admin.action(description="Deactivate: they answer no more calls", permissions=["change"])
    def deactivate(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        """Deactivate the selected versions."""
        self.for_each(
            request,
            queryset,
            lambda row: versions.deactivate_version(actor=self.actor(request), version=row),
            "deactivated",
        )

    @admin.action(description="Activate again", permissions=["change"])
    def activate(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        """Activate the selected versions."""
        self.for_each(
            request,
            queryset,
            lambda row: versions.update_version(
                actor=self.actor(request), version=row, changes={"is_active": True}
            ),
            "activated",
        )

    @admin.action(description="Make it the default of its model", permissions=["alias"])
    def make_default(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        """Point `default` at each: what a bare model name means."""
        self._point(request, queryset, DEFAULT_ALIAS)

    @admin.action(description="Make it the champion of its model", permissions=["alias"])
    def make_champion(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        """Point `champion` at each."""
        self._point(request, queryset, CHAMPION)

    @admin.action(description="Check against their thresholds", permissions=["view"])
    def check_now(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        """Say how the selected versions do."""
        for row in queryset[:CHECKED_AT_MOST]:
            answer = check(row)
            for found in answer["violations"]:
                text = f"{row}: {found['metric']} is {found['current']:g} ({found['severity']})."
                self.message_user(request, text, messages.ERROR)
            if answer["is_performing_well"]:
                self.message_user(request, f"{row} does well.", messages.SUCCESS)

    @admin.action(description="Look for what could be better", permissions=["optimize"])
    def optimize_now(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        """Apply the rules to the selected versions."""
        for row in queryset[:CHECKED_AT_MOST]:
            for text in optimize(row) or [f"{row}: nothing is recommended."]:
                self.message_user(request, text)

    @admin.action(description="Compare two", permissions=["view"])
    def compare_two(
        self, request: HttpRequest, queryset: QuerySet[ModelVersion]
    ) -> HttpResponse | None:
        """Show two versions side by side."""
        rows = list(queryset.select_related("integration").prefetch_related("metric_values")[:3])
        if len(rows) != 2:
            self.message_user(request, "Select two versions.", messages.ERROR)
            return None
        properties, metrics = compare(*rows)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{rows[0]} and {rows[1]}",
            "opts": self.opts,
            "first": rows[0],
            "second": rows[1],
            "tables": [("Properties", properties), ("Metrics", metrics)],
        }
        return TemplateResponse(request, "admin/registry/modelversion/compare.html", context)

    def has_optimize_permission(self, request: HttpRequest) -> bool:
        """Who may look for recommendations."""
        return request.user.has_perm("registry.change_recommendation")

    def _point(self, request: HttpRequest, queryset: QuerySet[ModelVersion], name: str) -> None:
        rows = list(queryset)
        if len({row.model_id for row in rows}) < len(rows):
            self.message_user(
                request, "Select one version of each model: an alias has one.", "ERROR"
            )
            return
        self.for_each(
            request,
            rows,
            lambda row: aliases.set_alias(
                actor=self.actor(request), model=row.model, name=name, version=row.number
            ),
            f"made the {name}",
        )
