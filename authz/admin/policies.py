"""Security policies: written, tried out, attached."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from authz.admin.audited import AuditedAdmin
from authz.models import SecurityPolicy
from authz.policies import services
from authz.policies.dry_run import dry_run
from authz.policies.surroundings import METHODS
from intmod_site.admin_fields import StrictJSONField
from intmod_site.service_admin import ServiceForm

LISTED = 50
"""Versions and attachments on a policy's page."""


class PolicyForm(ServiceForm):
    """A policy; its rules are JSON."""

    class Meta:
        model = SecurityPolicy
        fields: list[str] = []
        widgets = {"rules": forms.Textarea(attrs={"rows": 16, "cols": 80, "spellcheck": "false"})}


class DryRunForm(forms.Form):
    """Something that might happen; what is left empty is not judged."""

    body = StrictJSONField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 8, "cols": 80, "spellcheck": "false"}),
        help_text="JSON.",
    )
    method = forms.ChoiceField(required=False, choices=[("", "-"), *((m, m) for m in METHODS)])
    path = forms.CharField(required=False, max_length=2000)
    source = forms.GenericIPAddressField(required=False, label="Source address", unpack_ipv4=True)

    def told(self) -> dict[str, Any]:
        """Give the parts that were filled in."""
        told = {name: self.cleaned_data[name] for name in ("method", "path", "source")}
        told = {name: value for name, value in told.items() if value}
        if self.data.get("body", "").strip():
            told["data"] = self.cleaned_data["body"]
        return told


@admin.register(SecurityPolicy)
class SecurityPolicyAdmin(AuditedAdmin):
    """What may leave and what may be stored."""

    form = PolicyForm
    change_form_template = "admin/authz/securitypolicy/change_form.html"
    list_display = ["name", "project", "version", "attached", "updated_at"]
    list_filter = ["project"]
    list_select_related = ["project"]
    search_fields = ["name", "description"]
    autocomplete_fields = ["project"]

    def get_queryset(self, request: HttpRequest) -> Any:
        """Count along."""
        counted = super().get_queryset(request).annotate(attached_count=Count("attachments"))
        # Counting drops the model's own order, which the search for references needs.
        return counted.order_by("name", "pk")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Show the version where there is one."""
        asked = ["project", "name", "description", "rules"]
        return [*asked, "version", "updated_at"] if obj else asked

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep the project; the version is counted."""
        return ["project", "version", "updated_at"] if obj else []

    def get_urls(self) -> list[URLPattern]:
        """Add the page to try a policy out on."""
        view = self.admin_site.admin_view(self.try_out)
        return [
            path("<path:object_id>/try/", view, name="authz_securitypolicy_try"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show what the policy is enforced on, and its versions."""
        policy = self.get_object(request, object_id)
        shown = {
            "attachments": list(policy.attachments.all()[:LISTED]),
            "versions": list(policy.versions.all()[:LISTED]),
        } if policy else {}  # fmt: skip
        return super().change_view(request, object_id, form_url, shown | (extra_context or {}))

    def try_out(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say what the policy would decide; nothing happens and nothing is recorded."""
        policy = self.get_object(request, object_id)
        if policy is None:
            raise Http404
        if not self.has_view_permission(request, policy):
            raise PermissionDenied
        form = DryRunForm(request.POST if request.method == "POST" else None)
        context = {
            **self.admin_site.each_context(request),
            "title": f"Try {policy}, version {policy.version}",
            "opts": self.opts,
            "original": policy,
            "form": form,
        }
        if request.method == "POST" and form.is_valid():
            context["decision"], context["not_judged"] = dry_run(policy, form.told())
        return TemplateResponse(request, "admin/authz/securitypolicy/try.html", context)

    @admin.display(description="Attached to", ordering="attached_count")
    def attached(self, obj: Any) -> int:
        """On how many things it is enforced."""
        return int(obj.attached_count)

    def create(self, request: HttpRequest, form: PolicyForm) -> SecurityPolicy:
        """Create a policy."""
        return services.create_policy(actor=self.actor(request), **form.given())

    def update(self, request: HttpRequest, obj: SecurityPolicy, form: PolicyForm) -> SecurityPolicy:
        """Change a policy."""
        return services.update_policy(actor=self.actor(request), policy=obj, changes=form.changed())

    def remove(self, request: HttpRequest, obj: SecurityPolicy) -> None:
        """Delete a policy that is attached to nothing."""
        services.delete_policy(actor=self.actor(request), policy=obj)
