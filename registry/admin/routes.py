"""Routes: names that spread calls over several models."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from authz.admin.audited import AuditedAdmin
from intmod_site.service_admin import ServiceForm
from registry.catalog import routes
from registry.models import Route


class RouteForm(ServiceForm):
    """A route."""

    class Meta:
        model = Route
        fields: list[str] = []


@admin.register(Route)
class RouteAdmin(AuditedAdmin):
    """Who answers a name, call by call."""

    form = RouteForm
    list_display = ["name", "project", "strategy", "who", "updated_at"]
    list_filter = ["strategy", "project"]
    list_select_related = ["project"]
    search_fields = ["name", "description"]
    autocomplete_fields = ["project"]
    fields = ["project", "name", "description", "strategy", "targets"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep the project."""
        return ["project"] if obj else []

    @admin.display(description="Targets")
    def who(self, obj: Route) -> SafeString:
        """The targets, with their weights or places."""
        by_order = obj.strategy == Route.Strategy.ORDER
        return format_html_join(
            ", ",
            "{} <small>{}</small>",
            (
                (
                    target["model"],
                    f"#{target.get('order', 0)}" if by_order else f"x {target.get('weight', 1)}",
                )
                for target in obj.targets
            ),
        )

    def create(self, request: HttpRequest, form: RouteForm) -> Route:
        """Create a route."""
        return routes.create_route(actor=self.actor(request), **form.given())

    def update(self, request: HttpRequest, obj: Route, form: RouteForm) -> Route:
        """Change a route."""
        return routes.update_route(actor=self.actor(request), route=obj, changes=form.changed())

    def remove(self, request: HttpRequest, obj: Route) -> None:
        """Delete a route."""
        routes.delete_route(actor=self.actor(request), route=obj)
