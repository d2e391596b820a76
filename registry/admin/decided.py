"""Pages of rows that are not edited, and about which something is decided by actions."""

from typing import Any, ClassVar

from django.contrib.auth import get_permission_codename
from django.http import HttpRequest

from intmod_site.service_admin import ReadOnlyAdmin
from registry.admin.acting import ActingAdmin


class DecidedAdmin(ReadOnlyAdmin, ActingAdmin):
    """Shows rows, with the audit log as their history; actions ask for `decide`."""

    decided_by: ClassVar[str] = "change"
    """The verb of the permission that actions need."""

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """Who may decide."""
        name = get_permission_codename(self.decided_by, self.opts)
        return request.user.has_perm(f"{self.opts.app_label}.{name}")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show everything that is named in `fields`."""
        return self.fields
