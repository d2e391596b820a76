"""The admin site: Django's own, with our name on it and the last 24 hours on its first page."""

from collections.abc import Callable
from functools import partial
from math import ceil
from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from intmod_site.admin_confirmation import confirmed_first, next_page, note_confirmed

HOMES = {"auth": "authz"}
"""Apps of Django's whose models are listed with one of ours: roles belong to access."""

NAMES = {"Group": "Roles"}
"""What the product calls models that Django calls otherwise."""


class IntmodAdminSite(admin.AdminSite):
    """Where staff work."""

    site_header = "intmod"
    site_title = "intmod"
    index_title = "Overview"
    site_url = "/api/docs"
    password_change_form: Any = None
    """Set by the app that knows how a change of password is recorded; takes the request as a
    keyword."""
    confirm_form: Any = None
    """Set by the app that knows whose password is right; takes the request as a keyword."""
    confirmed_models: Callable[[], list[type[Model]]] = staticmethod(list)
    """Set likewise: gives the models whose pages ask for the password again."""

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        # Deleting goes through services, one object and one question at a time.
        self.disable_action("delete_selected")

    def get_app_list(
        self, request: HttpRequest, app_label: str | None = None
    ) -> list[dict[str, Any]]:
        """List Django's models with ours, under the product's names."""
        apps: dict[str, dict[str, Any]] = {}
        for app in super().get_app_list(request, app_label):
            for model in app["models"]:
                model["name"] = NAMES.get(model["object_name"], model["name"])
            home = HOMES.get(app["app_label"], app["app_label"])
            if home in apps:
                apps[home]["models"] += app["models"]
            else:
                apps[home] = app
        for app in apps.values():
            app["models"].sort(key=lambda model: model["name"])
        return list(apps.values())

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        """Change one's own password, through the registered form."""
        if self.password_change_form is None:
            return super().password_change(request, extra_context)
        from django.contrib.auth.views import PasswordChangeView

        request.current_app = self.name
        view = PasswordChangeView.as_view(
            form_class=partial(self.password_change_form, request=request),
            success_url=reverse("admin:password_change_done", current_app=self.name),
            extra_context=self.each_context(request) | (extra_context or {}),
            template_name="registration/password_change_form.html",
        )
        return _told(view(request))

    def get_urls(self) -> list[Any]:
        """Add the page that asks for the password again."""
        return [path("confirm", self.admin_view(self.confirm), name="confirm"), *super().get_urls()]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        """Serve a page to staff, who are asked for their password again where it matters."""
        return super().admin_view(confirmed_first(view, self), cacheable)

    def confirm(self, request: HttpRequest) -> HttpResponse:
        """Ask for the password, and go on to where one was."""
        if request.method != "POST":
            return self._ask(request, self.confirm_form(request=request))
        form = self.confirm_form(request.POST, request=request)
        if not form.is_valid():
            return self._ask(request, form)
        note_confirmed(request)
        return HttpResponseRedirect(next_page(request))

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Let staff in; too many tries are told as such."""
        return _told(super().login(request, extra_context))

    def _ask(self, request: HttpRequest, form: Form) -> HttpResponse:
        request.current_app = self.name
        context = self.each_context(request) | {
            "title": "Confirm your password", "form": form, "next": next_page(request),
        }  # fmt: skip
        return _told_to_wait(TemplateResponse(request, "admin/confirm.html", context), form)


def _told(answer: Any) -> Any:
    form = (getattr(answer, "context_data", None) or {}).get("form")
    return _told_to_wait(answer, form) if form is not None else answer


def _told_to_wait(answer: HttpResponse, form: Form) -> HttpResponse:
    """Answer 429 where a form says when it may be sent again (`retry_after_s`)."""
    retry_after_s = getattr(form, "retry_after_s", None)
    if retry_after_s is not None:
        answer.status_code = 429
        answer.headers["Retry-After"] = str(ceil(retry_after_s))
    return answer
