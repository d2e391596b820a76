"""Aliases: names that are moved from version to version."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest

from intmod_site.service_admin import ServiceForm
from registry.admin.acting import ActingAdmin
from registry.catalog import aliases
from registry.models import ModelAlias, ModelVersion


class AliasForm(ServiceForm):
    """Where an alias points, and why; whose alias it is follows from the version."""

    reason = forms.CharField(
        required=False, max_length=1000, help_text="For the record.", widget=forms.TextInput
    )
    # What the page showed: a move by somebody else meanwhile is not overwritten.
    expected_version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = ModelAlias
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance._state.adding:
            return
        self.initial.setdefault("expected_version", self.instance.version.number)
        if "version" in self.fields:
            of_model = ModelVersion.objects.filter(model=self.instance.model)
            self.fields["version"].queryset = of_model.select_related("model")  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Take the model from the version."""
        cleaned = super().clean() or self.cleaned_data
        version = cleaned.get("version")
        if version is not None and self.instance._state.adding:
            self.instance.model = version.model
            if ModelAlias.objects.filter(model=version.model, name=cleaned.get("name")).exists():
                raise ValidationError({"name": "The model has this alias; move it instead."})
        return cleaned


@admin.register(ModelAlias)
class ModelAliasAdmin(ActingAdmin):
    """Names that point at versions."""

    form = AliasForm
    list_display = ["__str__", "name", "version", "project", "updated_at"]
    list_filter = ["name", "model__project"]
    list_select_related = ["model__project", "version__model"]
    search_fields = ["name", "model__name"]
    fields = ["name", "version", "reason", "expected_version"]
    actions = ["roll_back"]
    on_page = {"roll_back": "Roll back to the version before"}

    def get_queryset(self, request: HttpRequest) -> Any:
        """Take along what an alias is called by."""
        return super().get_queryset(request).select_related("model__project", "version__model")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep the name: another one is another alias."""
        return ["name"] if obj else []

    def get_autocomplete_fields(self, request: HttpRequest) -> list[str]:
        """Search among all versions for a new alias; an old one's page lists its model's."""
        return ["version"] if self.is_view(request, "add") else []

    @admin.display(description="Project", ordering="model__project__slug")
    def project(self, obj: ModelAlias) -> str:
        """Where its model is."""
        return obj.model.project.slug

    def create(self, request: HttpRequest, form: AliasForm) -> ModelAlias:
        """Create an alias."""
        return self._set(request, form, name=form.cleaned_data["name"], expected=None)

    def update(self, request: HttpRequest, obj: ModelAlias, form: AliasForm) -> ModelAlias:
        """Move an alias, if it points where the page said."""
        expected = form.cleaned_data["expected_version"]
        return self._set(request, form, name=obj.name, expected=expected)

    def remove(self, request: HttpRequest, obj: ModelAlias) -> None:
        """Remove an alias."""
        aliases.delete_alias(actor=self.actor(request), alias=obj)

    @admin.action(description="Roll back to the version before", permissions=["change"])
    def roll_back(self, request: HttpRequest, queryset: QuerySet[ModelAlias]) -> None:
        """Point the selected aliases back."""
        self.for_each(
            request,
            queryset,
            lambda row: aliases.roll_back(
                actor=self.actor(request), model=row.model, name=row.name,
                expected_version=row.version.number,
            ),
            "rolled back",
        )  # fmt: skip

    def _set(
        self, request: HttpRequest, form: AliasForm, *, name: str, expected: int | None
    ) -> ModelAlias:
        version = form.cleaned_data["version"]
        return aliases.set_alias(
            actor=self.actor(request),
            model=version.model,
            name=name,
            version=version.number,
            expected_version=expected,
            reason=form.cleaned_data["reason"],
        )
