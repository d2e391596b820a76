"""The panel of the last 24 hours, for the admin's first page."""

from typing import Any

from django import template

from intmod_site.chart_cards import milliseconds
from registry.admin.overview import cards, dollars
from registry.monitoring import dashboard

register = template.Library()
register.filter("dollars", dollars)
register.filter("milliseconds", milliseconds)


@register.filter
def count(value: int) -> str:
    """Write a count with commas."""
    return f"{value:,}"


@register.inclusion_tag("admin/registry/last_24_hours.html", takes_context=True)
def last_24_hours(context: template.Context) -> dict[str, Any]:
    """Show the numbers to those who may see calls; say how to begin where there are none."""
    request = context["request"]
    if not request.user.has_perm("registry.view_inferencerecord"):
        return {"may_see": False}
    panel = {"may_see": True, "perms": context["perms"], "request": request}
    day = dashboard.last_day()
    if not day.calls:
        address = request.build_absolute_uri("/api/v1/ai/generate")
        return panel | {"steps": dashboard.first_steps(), "address": address}
    return panel | {
        "day": day,
        "cards": cards(day),
        "models": dashboard.most_used(),
        "errors": dashboard.latest_errors(),
    }
