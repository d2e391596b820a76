"""Thresholds, metrics and silences."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from authz.admin.audited import AuditedAdmin
from authz.audit.actor import Actor
from intmod_site.service_admin import ServiceForm
from intmod_site.service_inline import ServiceInline
from registry.models import MetricDefinition, Silence, Threshold
from registry.monitoring import definitions
from registry.monitoring.alerting import handling, thresholds

TARGETS = ["model", "alias", "version", "integration"]
LABELS = {
    "window_s": "Window, in seconds",
    "min_samples": "Fewest samples",
    "for_s": "For, in seconds",
    "keep_firing_for_s": "Keep firing, in seconds",
    "renotify_s": "Tell again, in seconds",
    "no_data_policy": "Without data",
}


class ThresholdForm(ServiceForm):
    """What is watched, and its limits; the project is that of what is watched."""

    class Meta:
        model = Threshold
        fields: list[str] = []
        labels = LABELS

    def clean(self) -> dict[str, Any]:
        """Take the project from what is watched."""
        cleaned = super().clean() or self.cleaned_data
        if self.instance._state.adding:
            found = [cleaned[name] for name in TARGETS if name != "alias" and cleaned.get(name)]
            if len(found) != 1:
                self.add_error("model", "Name one: a model, a version or an integration.")
            else:
                self.instance.project = found[0].project
        return cleaned


@admin.register(Threshold)
class ThresholdAdmin(AuditedAdmin):
    """Limits on metrics."""

    form = ThresholdForm
    list_display = [
        "__str__", "metric", "aggregation", "comparator", "warning", "critical", "is_active",
        "project",
    ]  # fmt: skip
    list_filter = ["is_active", "metric", "project"]
    list_select_related = ["project", "model", "version__model", "integration"]
    search_fields = ["name", "metric", "model__name"]
    autocomplete_fields = ["model", "version", "integration"]
    fieldsets = [
        (None, {"fields": ["name", *TARGETS]}),
        ("Measure", {"fields": ["metric", "aggregation", "window_s", "min_samples"]}),
        (
            "Limits",
            {
                "fields": [
                    "comparator",
                    ("warning", "warning_upper"),
                    ("critical", "critical_upper"),
                    "recovery",
                    "contradicts_direction",
                ]
            },
        ),
        (
            "Patience",
            {"fields": [("for_s", "keep_firing_for_s"), "renotify_s", "no_data_policy"]},
        ),
        ("State", {"fields": ["is_active"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Take along what a threshold is called by."""
        rows = super().get_queryset(request)
        return rows.select_related("project", "model", "version__model", "integration")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep what is watched: something else is another threshold."""
        return [*TARGETS, "metric"] if obj else []

    def create(self, request: HttpRequest, form: ThresholdForm) -> Threshold:
        """Set a threshold."""
        return thresholds.set_threshold(
            actor=self.actor(request), project=form.instance.project, **form.given()
        )

    def update(self, request: HttpRequest, obj: Threshold, form: ThresholdForm) -> Threshold:
        """Change a threshold."""
        return thresholds.update_threshold(
            actor=self.actor(request), threshold=obj, changes=form.changed()
        )

    def remove(self, request: HttpRequest, obj: Threshold) -> None:
        """Watch no longer."""
        thresholds.delete_threshold(actor=self.actor(request), threshold=obj)

    def goes_along(self, obj: Threshold) -> dict[str, int]:
        """Alerts go with their threshold."""
        return {"alerts": obj.alerts.count()}


class InlineThresholdForm(ServiceForm):
    """A threshold's row; of one that is there, metric and alias stay."""

    class Meta:
        model = Threshold
        fields: list[str] = []
        labels = LABELS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance._state.adding:
            for name in ("metric", "alias"):
                if name in self.fields:
                    self.fields[name].disabled = True


class ThresholdInline(ServiceInline):
    """The limits on a model and its aliases, on the model's page."""

    model = Threshold
    form = InlineThresholdForm
    fk_name = "model"
    show_change_link = True
    verbose_name_plural = "Thresholds of the model and its aliases"
    fields = [
        "metric", "alias", "aggregation", "comparator", "warning", "critical", "for_s",
        "is_active",
    ]  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> Any:
        """Take along what a threshold is called by."""
        return super().get_queryset(request).select_related("model", "version", "integration")

    def create(self, request: HttpRequest, parent: Any, form: ServiceForm) -> Threshold:
        """Set a threshold."""
        return thresholds.set_threshold(
            actor=Actor.staff(request), project=parent.project, **_limits(form.given()),
            model=parent,
        )  # fmt: skip

    def update(self, request: HttpRequest, obj: Threshold, form: ServiceForm) -> Threshold:
        """Change a threshold; what it watches stays."""
        return thresholds.update_threshold(
            actor=Actor.staff(request), threshold=obj, changes=_limits(form.changed())
        )

    def remove(self, request: HttpRequest, obj: Threshold) -> None:
        """Watch no longer."""
        thresholds.delete_threshold(actor=Actor.staff(request), threshold=obj)


def _limits(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in ThresholdInline.fields}


class DefinitionForm(ServiceForm):
    """A metric; whether its key is free is the service's to say."""

    class Meta:
        model = MetricDefinition
        fields: list[str] = []


@admin.register(MetricDefinition)
class MetricDefinitionAdmin(AuditedAdmin):
    """What metrics are measured in, and which way is better."""

    form = DefinitionForm
    list_display = ["key", "project", "unit", "direction", "kind"]
    list_filter = ["direction", "project"]
    list_select_related = ["project"]
    search_fields = ["key"]
    autocomplete_fields = ["project"]
    fields = ["project", "key", "unit", "direction", "kind", "description"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep the key: samples go by it."""
        return ["project", "key"] if obj else []

    def create(self, request: HttpRequest, form: DefinitionForm) -> MetricDefinition:
        """Define a metric."""
        return definitions.define_metric(actor=self.actor(request), **form.given())

    def update(self, request: HttpRequest, obj: MetricDefinition, form: Any) -> MetricDefinition:
        """Change a metric's definition."""
        return definitions.update_definition(
            actor=self.actor(request), definition=obj, changes=form.changed()
        )

    def remove(self, request: HttpRequest, obj: MetricDefinition) -> None:
        """Delete a metric's definition."""
        definitions.delete_definition(actor=self.actor(request), definition=obj)


class SilenceForm(ServiceForm):
    """What is not told, and until when."""

    class Meta:
        model = Silence
        fields: list[str] = []

    def clean(self) -> dict[str, Any]:
        """Refuse what belongs to another project."""
        cleaned = super().clean() or self.cleaned_data
        for name in ("model", "threshold"):
            row = cleaned.get(name)
            if row is not None and row.project_id != getattr(cleaned.get("project"), "pk", None):
                self.add_error(name, "It belongs to another project.")
        return cleaned


@admin.register(Silence)
class SilenceAdmin(AuditedAdmin):
    """Times in which alerts are not told; they are ended, and not changed."""

    form = SilenceForm
    list_display = ["__str__", "project", "starts_at", "ends_at", "created_by", "comment"]
    list_filter = ["project"]
    list_select_related = [
        "project", "model", "threshold__model", "threshold__version__model",
        "threshold__integration",
    ]  # fmt: skip
    autocomplete_fields = ["project", "model", "threshold"]
    fields = ["project", "model", "threshold", "starts_at", "ends_at", "comment"]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Take along what a silence is called by."""
        return super().get_queryset(request).select_related(*self.list_select_related)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes silences."""
        return False

    def create(self, request: HttpRequest, form: SilenceForm) -> Silence:
        """Let alerts not be told."""
        return handling.silence(actor=self.actor(request), **form.given())

    def remove(self, request: HttpRequest, obj: Silence) -> None:
        """Let them be told again."""
        handling.end_silence(actor=self.actor(request), row=obj)
