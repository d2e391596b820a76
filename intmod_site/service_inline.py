"""Rows edited on their parent's page: their own services, their parent's transaction."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.forms.models import BaseInlineFormSet
from django.http import HttpRequest

from intmod_site.service_admin import REFUSALS, ServiceForm


class OldestRows(BaseInlineFormSet):
    """A parent's rows, from the oldest on, as many as are shown."""

    service: "ServiceInline"

    def get_queryset(self) -> Any:
        """Give the rows, read once."""
        if not hasattr(self, "_oldest"):
            self._oldest = super().get_queryset().order_by("pk")[: self.service.shown]
        return self._oldest

    def clean(self) -> None:
        """Refuse an id that is not its row's: Django would take the row in that place instead."""
        for form in self.initial_forms:
            if form.cleaned_data.get(form.instance._meta.pk.name) != form.instance:
                raise ValidationError("Some rows are not there any more. Open the page again.")


class ServiceInline(admin.TabularInline):
    """The oldest rows of a parent; the rest are on their own list.

    Knows no app: subclasses say which service creates, changes and deletes. A refusal is shown at
    the row that it is about, and nothing is saved then, of the parent neither.
    """

    form = ServiceForm
    formset = OldestRows
    extra = 0
    shown = 50
    """Rows on the page at most."""

    def create(self, request: HttpRequest, parent: Any, form: Any) -> models.Model:
        """Call the service that creates."""
        raise NotImplementedError

    def update(self, request: HttpRequest, obj: Any, form: Any) -> models.Model:
        """Call the service that updates."""
        raise NotImplementedError

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """Call the service that deletes."""
        raise NotImplementedError

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        """Give the formset, with what the service refused when it was sent."""
        formset: Any = super().get_formset(request, obj, **kwargs)
        formset.service = self
        refusal = getattr(request, "refusal", None)
        if refusal is not None:
            said = {"refusal": refusal, "refused_prefix": getattr(request, "refused_form", None)}
            formset.form = type(formset.form)(formset.form.__name__, (formset.form,), said)
        return formset

    def save(self, request: HttpRequest, parent: Any, formset: Any) -> None:
        """Save what was changed, row by row."""
        formset.new_objects, formset.changed_objects, formset.deleted_objects = [], [], []
        for form in formset.forms:
            is_new = form.instance._state.adding
            if form in formset.deleted_forms:
                # A row that goes shows no errors: its refusal is shown above the whole.
                if not is_new:
                    self.remove(request, form.instance)
                    formset.deleted_objects.append(form.instance)
                continue
            if not form.has_changed():
                continue
            try:
                if is_new:
                    formset.new_objects.append(self.create(request, parent, form))
                else:
                    row = self.update(request, form.instance, form)
                    formset.changed_objects.append((row, form.changed_data))
            except REFUSALS:
                request.refused_form = form.prefix  # type: ignore[attr-defined]
                raise
