"""Pages of one object that offer what its list does to selected rows."""

from typing import Any, ClassVar

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect

from authz.admin.audited import AuditedAdmin

PRESSED = "_do"


class ActingAdmin(AuditedAdmin):
    """An admin whose list's actions are buttons on the page of each object too."""

    change_form_template = "admin/registry/acting.html"
    on_page: ClassVar[dict[str, str]] = {}
    """Names of actions, and what stands on their buttons."""

    def offered(self, obj: Any) -> set[str]:
        """Say which of the actions make sense for an object as it is."""
        return set(self.on_page)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the page with its buttons, or do what was pressed and lead back."""
        obj = self.get_object(request, unquote(object_id))
        if PRESSED in request.POST:
            return self._press(request, obj)
        allowed = self.get_actions(request)
        context: dict[str, Any] = {
            "pressed": PRESSED,
            "on_page": [
                (name, label)
                for name, label in self.on_page.items()
                if obj is not None and name in allowed and name in self.offered(obj)
            ],
        }
        return super().change_view(request, object_id, form_url, context | (extra_context or {}))

    def _press(self, request: HttpRequest, obj: Any) -> HttpResponse:
        if obj is None:
            raise Http404
        name = request.POST[PRESSED]
        allowed: dict[str, Any] = self.get_actions(request)
        if not self.has_view_permission(request, obj) or name not in {*self.on_page} & {*allowed}:
            raise PermissionDenied
        do = allowed[name][0]
        answer: HttpResponse | None = do(
            self, request, self.get_queryset(request).filter(pk=obj.pk)
        )
        return answer or HttpResponseRedirect(request.path)
