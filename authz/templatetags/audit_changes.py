"""An audit event's changes, as a table."""

from typing import Any

from django import template
from django.utils.safestring import SafeString

from authz.admin.audit import show_changes

register = template.Library()


@register.filter
def as_difference(changes: dict[str, Any]) -> SafeString:
    """Show field by field what was before and after."""
    return show_changes(changes)
