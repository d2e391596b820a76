"""Registered models, with their versions and aliases beside them."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpRequest, HttpResponse

from authz.admin.audited import AuditedAdmin
from intmod_site.service_admin import ServiceForm
from registry.admin.thresholds import ThresholdInline
from registry.catalog import services
from registry.models import ApprovalRequest, ModelVersion, RegisteredModel, Threshold

NEWEST = 20
"""Versions shown with their model; the list of versions has them all."""


LISTED = 200
"""Aliases and thresholds shown with their model."""


class ModelForm(ServiceForm):
    """A model; whether its name is free is the service's to say, which revives deleted ones."""

    class Meta:
        model = RegisteredModel
        fields: list[str] = []
        help_texts = {"tags": 'A JSON object of texts: {"team": "search"}.'}

    def _get_validation_exclusions(self) -> set[str]:
        # Without its project a name is compared with no other.
        return {*super()._get_validation_exclusions(), "project"}  # type: ignore[misc]


@admin.register(RegisteredModel)
class RegisteredModelAdmin(AuditedAdmin):
    """Models as people speak of them."""

    form = ModelForm
    change_form_template = "admin/registry/registeredmodel/change_form.html"
    list_display = ["name", "project", "model_type", "active_versions", "newest", "updated_at"]
    list_filter = ["model_type", "project"]
    list_select_related = ["project"]
    search_fields = ["name"]
    autocomplete_fields = ["project"]
    fields = ["project", "name", "model_type", "description", "tags"]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Leave out tombstones."""
        rows = super().get_queryset(request).filter(deleted_at=None)
        if self.is_view(request, "changelist"):
            # Subqueries are answered for the rows of the page, a join is for all models.
            versions = ModelVersion.objects.filter(model=OuterRef("pk"))
            active = versions.filter(is_active=True).order_by().values("model")
            rows = rows.annotate(
                active_count=Coalesce(
                    Subquery(active.annotate(count=Count("pk")).values("count")), 0
                ),
                newest_number=Subquery(versions.order_by("-number").values("number")[:1]),
            )
        return rows

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        """Show thresholds with a model that is there."""
        return [ThresholdInline] if obj else []

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep name and project: calls go by them."""
        return ["project", "name"] if obj else []

    @admin.display(description="Active versions", ordering="active_count")
    def active_versions(self, obj: Any) -> int:
        """How many versions may answer calls."""
        return int(obj.active_count)

    @admin.display(description="Newest", ordering="newest_number", empty_value="none")
    def newest(self, obj: Any) -> int | None:
        """The highest number."""
        return obj.newest_number

    def create(self, request: HttpRequest, form: ModelForm) -> RegisteredModel:
        """Create a model."""
        return services.create_model(actor=self.actor(request), **_with_tags(form.given()))

    def update(self, request: HttpRequest, obj: RegisteredModel, form: Any) -> RegisteredModel:
        """Change a model."""
        return services.update_model(
            actor=self.actor(request), model=obj, changes=_with_tags(form.changed())
        )

    def remove(self, request: HttpRequest, obj: RegisteredModel) -> None:
        """Delete a model with its versions and aliases."""
        services.delete_model(actor=self.actor(request), model=obj)

    def goes_along(self, obj: RegisteredModel) -> dict[str, int]:
        """Versions and aliases go with their model."""
        return {"versions": obj.versions.count(), "aliases": obj.aliases.count()}

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show versions and aliases below the form."""
        model = self.get_object(request, unquote(object_id))
        panel = _panel(model) if model is not None else {}
        return super().change_view(request, object_id, form_url, panel | (extra_context or {}))


def _panel(model: RegisteredModel) -> dict[str, Any]:
    versions = model.versions.select_related("model").order_by("-number")
    approvals = ApprovalRequest.objects.filter(version__model=model)
    return {
        "versions": versions[:NEWEST],
        "aliases": model.aliases.select_related("version", "model")[:LISTED],
        "newest": NEWEST,
        "moves": model.alias_changes.order_by("-valid_from", "-pk")[:NEWEST],
        "thresholds": Threshold.objects.filter(version__model=model)
        .select_related("version__model")
        .order_by("version__number", "metric", "pk")[:LISTED],
        "approvals": approvals.select_related("version__model")[:NEWEST],
    }


def _with_tags(values: dict[str, Any]) -> dict[str, Any]:
    """Read an emptied field as no tags."""
    return values | {"tags": values["tags"] or {}} if "tags" in values else values
