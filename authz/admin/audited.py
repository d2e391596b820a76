"""What every page of the admin shares: who acts, and the audit log as an object's history."""

from typing import Any

from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from authz.audit.actor import Actor
from authz.models import AuditEvent
from intmod_site.service_admin import ReadOnlyAdmin, ServiceAdmin

EVENTS_PER_PAGE = 50


class AuditedAdmin(ServiceAdmin):
    """Changes through services in the name of the staff member; shows the audit log as history."""

    def actor(self, request: HttpRequest) -> Actor:
        """Give the staff member, as the audit log remembers them."""
        return Actor.staff(request)

    def held(self, request: HttpRequest) -> frozenset[str] | None:
        """Give what the staff member may grant; None for a superuser, who may grant everything."""
        if request.user.is_superuser:
            return None
        return frozenset(request.user.get_all_permissions())

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the object's audit events, newest first."""
        obj = self.get_object(request, unquote(object_id))
        if obj is None:
            raise Http404
        if not self.has_view_or_change_permission(request, obj):
            raise PermissionDenied
        events = AuditEvent.objects.filter(
            object_type=self.opts.model_name, object_id=str(obj.pk)
        ).order_by("-id")
        paginator = self.get_paginator(request, events, EVENTS_PER_PAGE)
        page = paginator.get_page(request.GET.get("p", 1))
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of {obj}",
            "subtitle": None,
            "object": obj,
            "opts": self.opts,
            "page": page,
            "may_open_events": request.user.has_perm("authz.view_auditevent"),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/object_history.html", context)


class RecordAdmin(ReadOnlyAdmin, AuditedAdmin):
    """Rows that are written once; they have no history."""

    change_form_template = "admin/record.html"

    def history_view(self, *args: Any, **kwargs: Any) -> HttpResponse:
        """Answer that there is no such page."""
        raise Http404
