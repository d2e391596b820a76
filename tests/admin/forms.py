"""Filling in the admin's forms as a browser does: what the page shows, with some of it changed."""

from typing import Any

from django.db.models import Model
from django.forms import BooleanField, MultiWidget
from django.test import Client
from django.urls import reverse


def url(kind: type[Model] | Model, page: str) -> str:
    """Give the address of a page of a model, or of an object."""
    opts = kind._meta
    name = f"admin:{opts.app_label}_{opts.model_name}_{page}"
    return reverse(name, args=[] if isinstance(kind, type) else [kind.pk])


def submit(client: Client, kind: type[Model] | Model, **changes: Any) -> Any:
    """Open the add page of a model or the change page of an object, change fields and save."""
    address = url(kind, "add" if isinstance(kind, type) else "change")
    return client.post(address, shown(client.get(address)) | changes)


def shown(response: Any) -> dict[str, Any]:
    """Give what the page's form would send if nothing were changed."""
    assert response.status_code == 200, response.status_code
    sent: dict[str, Any] = {}
    forms = [response.context["adminform"].form]
    for inline in response.context["inline_admin_formsets"]:
        forms += [inline.formset.management_form, *inline.formset.forms]
    for bound in (bound for form in forms for bound in form):
        value, widget = bound.value(), bound.field.widget
        if isinstance(widget, MultiWidget):
            parts = widget.decompress(value)
            sent |= {f"{bound.html_name}_{index}": part or "" for index, part in enumerate(parts)}
        elif isinstance(bound.field, BooleanField):
            sent |= {bound.html_name: "on"} if value else {}
        elif value is not None:
            sent[bound.html_name] = _sent(value)
    return sent


def errors(response: Any) -> dict[str, list[str]]:
    """Give the form's errors on the page that came back instead of a redirect."""
    assert response.status_code == 200, response.status_code
    found = dict(response.context["adminform"].form.errors)
    assert found
    return found


def _sent(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_sent(item) for item in value]
    return value.pk if isinstance(value, Model) else value
