"""The admin site: Django's own, with our name on it and the last 24 hours on its first page."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.urls import reverse

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
    """Set by the app that knows how a change of password is recorded."""

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
            form_class=self.password_change_form,
            success_url=reverse("admin:password_change_done", current_app=self.name),
            extra_context=self.each_context(request) | (extra_context or {}),
            template_name="registration/password_change_form.html",
        )
        return view(request)  # type: ignore[return-value]
