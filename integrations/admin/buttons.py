"""Pages with buttons: each is a POST of its own to a service function, told and led back."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotAllowed,
    HttpResponseRedirect,
)
from django.urls import path, reverse

from authz.admin.audited import AuditedAdmin
from intmod_site.service_admin import REFUSALS, explain


@dataclass(frozen=True, slots=True)
class Button:
    """Something to do with one object.

    Args:
        name: Last part of its route.
        label: What stands on it.
        permission: What it needs.
        do: Does it, and gives what to tell, or a page.
        shown: Whether it is offered for the object as it is.
    """

    name: str
    label: str
    permission: str
    do: Callable[[Any, HttpRequest, Any], str | HttpResponse]
    shown: Callable[[Any], bool] = lambda _: True


class ButtonedAdmin(AuditedAdmin):
    """An admin whose objects' pages have buttons."""

    buttons: ClassVar[tuple[Button, ...]] = ()

    def get_urls(self) -> list[Any]:
        """Add the buttons' routes."""
        return [*(self._route(button) for button in self.buttons), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Offer the buttons that the object and the staff member's permissions allow."""
        obj = self.get_object(request, unquote(object_id))
        offered = [
            {"name": button.name, "label": button.label, "url": self._url(button, obj)}
            for button in self.buttons
            if obj is not None and button.shown(obj) and request.user.has_perm(button.permission)
        ]
        context = {"buttons": offered} | self.below_form(request, obj)
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def below_form(self, request: HttpRequest, obj: Any) -> dict[str, Any]:
        """Give what the page's template shows besides the form; `obj` may be None."""
        return {}

    def back_to(self, obj: Any) -> HttpResponse:
        """Lead back to an object's page."""
        name = f"{self.admin_site.name}:{self._route_name('change')}"
        return HttpResponseRedirect(reverse(name, args=[obj.pk]))

    def _route(self, button: Button) -> Any:
        def press(request: HttpRequest, object_id: str) -> HttpResponse:
            return self._press(button, request, object_id)

        return path(
            f"<path:object_id>/{button.name}/",
            self.admin_site.admin_view(press),
            name=self._route_name(button.name),
        )

    def _press(self, button: Button, request: HttpRequest, object_id: str) -> HttpResponse:
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        if not request.user.has_perm(button.permission):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        try:
            told = button.do(self, request, obj)
        except REFUSALS as refusal:
            for _, message in explain(refusal):
                self.message_user(request, message, messages.ERROR)
        else:
            if isinstance(told, HttpResponse):
                return told
            self.message_user(request, told, messages.SUCCESS)
        return self.back_to(obj)

    def _url(self, button: Button, obj: Any) -> str:
        name = f"{self.admin_site.name}:{self._route_name(button.name)}"
        return reverse(name, args=[obj.pk])

    def _route_name(self, name: str) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_{name}"
