"""Admin pages that change things through services, and show a service's refusal at the form.

Knows no app: subclasses say which service creates, changes and deletes.
"""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db import IntegrityError, models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.text import capfirst

from intmod_site.admin_fields import StrictJSONField
from intmod_site.admin_lists import CappedPaginator
from intmod_site.api.errors import ApiError

REFUSALS = (ApiError, ValidationError, IntegrityError)


class ServiceForm(forms.ModelForm):
    """A form whose values go to a service, under the service's names for them.

    A refused save is shown by validating the same form once more with `refusal` set.
    """

    refusal: ClassVar[Exception | None] = None
    refused_prefix: ClassVar[str | None] = None
    """Of several forms on a page the one that was refused, by its prefix."""
    shown_as: ClassVar[dict[str, str]] = {}
    """Names of the service's fields, or JSON Pointers into them, to names of the form's."""

    def full_clean(self) -> None:
        """Validate, and add what the service refused."""
        super().full_clean()
        if self.refusal is not None and self.is_bound and self.prefix == self.refused_prefix:
            for name, message in explain(self.refusal):
                self.add_error(self._field(name), message)

    def given(self) -> dict[str, Any]:
        """Give all values, for a service that creates."""
        return dict(self.cleaned_data)

    def changed(self) -> dict[str, Any]:
        """Give the values that differ from what was shown, for a service that updates."""
        return {name: self.cleaned_data[name] for name in self.changed_data}

    def _field(self, pointer: str) -> str | None:
        top = pointer.partition("/")[0]
        for name in (self.shown_as.get(pointer), self.shown_as.get(top), top):
            if name in self.fields:
                return name
        return None


class ServiceAdmin(admin.ModelAdmin):
    """Changes its objects through services; writes no log entries of Django's."""

    form = ServiceForm
    show_full_result_count = False
    list_per_page = 50
    paginator = CappedPaginator
    view_on_site = False
    # Counting behind each filter reads the table once for each of its values.
    show_facets = admin.ShowFacets.NEVER
    formfield_overrides = {
        models.JSONField: {
            "form_class": StrictJSONField,
            "widget": forms.Textarea(attrs={"rows": 4, "cols": 60}),
        },
        models.TextField: {"widget": forms.Textarea(attrs={"rows": 3, "cols": 60})},
    }
    list_title: ClassVar[str] = ""
    """Heading of the list; the model's name by default."""

    def create(self, request: HttpRequest, form: Any) -> models.Model:
        """Call the service that creates."""
        raise NotImplementedError

    def update(self, request: HttpRequest, obj: Any, form: Any) -> models.Model:
        """Call the service that updates."""
        raise NotImplementedError

    def remove(self, request: HttpRequest, obj: Any) -> None:
        """Call the service that deletes."""
        raise NotImplementedError

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Give the form, with what the service refused when it was sent."""
        form = super().get_form(request, *args, **kwargs)
        refusal = getattr(request, "refusal", None)
        if refusal is None:
            return form
        said = {"refusal": refusal, "refused_prefix": getattr(request, "refused_form", None)}
        return type(form)(form.__name__, (form,), said)  # type: ignore[misc]

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Show the form again, with the reason, if the service refuses; nothing is saved then."""
        try:
            return super().changeform_view(request, *args, **kwargs)
        except REFUSALS as refusal:
            request.refusal = refusal  # type: ignore[attr-defined]
            return super().changeform_view(request, *args, **kwargs)

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Head the list with what is in it."""
        title = self.list_title or capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title} | (extra_context or {}))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Save through the service; the object becomes what the service made of it."""
        saved = self.update(request, obj, form) if change else self.create(request, form)
        vars(obj).update(vars(saved))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Save what is edited inline through services of its own, and nothing else."""
        for formset in formsets:
            formset.service.save(request, form.instance, formset)

    def delete_model(self, request: HttpRequest, obj: Any) -> None:
        """Delete through the service."""
        self.remove(request, obj)

    def delete_view(self, request: HttpRequest, object_id: str, *args: Any, **kw: Any) -> Any:
        """Go back to the object, with the reason, if the service refuses."""
        try:
            return super().delete_view(request, object_id, *args, **kw)
        except REFUSALS as refusal:
            for _, message in explain(refusal):
                self.message_user(request, message, messages.ERROR)
            name = f"{self.admin_site.name}:{self.opts.app_label}_{self.opts.model_name}_change"
            return HttpResponseRedirect(reverse(name, args=[object_id]))

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Count by type what goes along; Django would load and list every row."""
        listed = list(objs)
        counts = {str(self.opts.verbose_name_plural): len(listed)}
        for obj in listed:
            counts |= self.goes_along(obj)
        return [str(obj) for obj in listed], counts, set(), []

    def is_view(self, request: HttpRequest, name: str) -> bool:
        """Whether the request is for this model's `changelist`, `add`, `change`, …"""
        match = request.resolver_match
        return match is not None and match.url_name == (
            f"{self.opts.app_label}_{self.opts.model_name}_{name}"
        )

    def goes_along(self, obj: Any) -> dict[str, int]:
        """Say how many rows of which kind are deleted with the object."""
        return {}

    def for_each(
        self, request: HttpRequest, rows: Iterable[Any], do: Callable[[Any], Any], done: str
    ) -> None:
        """Do something to each selected row, and tell for how many it worked and why not for all.

        Args:
            request: Of the action.
            rows: What was selected.
            do: Calls a service; False means that there was nothing to do.
            done: Past participle for the message, such as "revoked".
        """
        count = 0
        for row in rows:
            try:
                count += do(row) is not False
            except REFUSALS as refusal:
                for _, message in explain(refusal):
                    self.message_user(request, f"{row}: {message}", messages.ERROR)
        name = self.opts.verbose_name if count == 1 else self.opts.verbose_name_plural
        self.message_user(
            request, f"{count} {name} {done}.", messages.SUCCESS if count else messages.WARNING
        )

    def _leave_to_audit_log(self, *args: Any) -> Any:
        """The service wrote the history."""

    log_addition: Any = _leave_to_audit_log
    log_change: Any = _leave_to_audit_log
    log_deletions: Any = _leave_to_audit_log


class ReadOnlyAdmin(ServiceAdmin):
    """Pages of rows that are written elsewhere and never changed here."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody deletes."""
        return False


def explain(refusal: Exception) -> list[tuple[str, str]]:
    """Give what was refused as pairs of field (empty for the whole) and message."""
    if isinstance(refusal, ApiError):
        return [(field.path.lstrip("/"), field.message) for field in refusal.fields] or [
            ("", refusal.message)
        ]
    if isinstance(refusal, ValidationError):
        if not hasattr(refusal, "error_dict"):
            return [("", message) for message in refusal.messages]
        return [
            ("" if name == NON_FIELD_ERRORS else name, message)
            for name, found in refusal.message_dict.items()
            for message in found
        ]
    return [("", "The database refused this: something of the kind is there already.")]
