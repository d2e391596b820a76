"""What policies are enforced on: attached and detached, never changed."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from authz.admin.audited import AuditedAdmin
from authz.models import PolicyAttachment
from authz.policies import services
from authz.policies.targets import target_kinds
from intmod_site.service_admin import ServiceForm

CHANGE = "authz.change_securitypolicy"
VIEW = "authz.view_securitypolicy"


class AttachmentForm(ServiceForm):
    """A policy, and what people call the thing to enforce it on."""

    kind = forms.ChoiceField()
    target = forms.CharField(max_length=300)

    class Meta:
        model = PolicyAttachment
        fields: list[str] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = target_kinds().values()
        if "kind" in self.fields:
            self.fields["kind"].choices = [  # type: ignore[attr-defined]
                (kind.name, kind.name.replace("_", " ")) for kind in kinds
            ]
            self.fields["target"].help_text = "; ".join(
                f"{kind.name.replace('_', ' ')}: {kind.reference}" for kind in kinds
            )


@admin.register(PolicyAttachment)
class PolicyAttachmentAdmin(AuditedAdmin):
    """Where policies are enforced."""

    form = AttachmentForm
    list_display = ["policy", "kind", "target_label", "project", "created_at"]
    list_filter = ["target_kind", "project"]
    list_select_related = ["policy", "project"]
    search_fields = ["target_label", "policy__name"]
    autocomplete_fields = ["policy"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Ask for what is needed; show what was made."""
        if obj is None:
            return ["policy", "kind", "target"]
        return ["policy", "target_kind", "target_label", "project", "created_at"]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Change nothing."""
        return self.get_fields(request, obj) if obj else []

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever sees policies sees where they are enforced."""
        return request.user.has_perm(VIEW) or request.user.has_perm(CHANGE)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever changes policies attaches them."""
        return request.user.has_perm(CHANGE)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever changes policies detaches them."""
        return request.user.has_perm(CHANGE)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes an attachment: it is there or not."""
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        """As for policies."""
        return self.has_view_permission(request)

    @admin.display(description="Kind", ordering="target_kind")
    def kind(self, obj: PolicyAttachment) -> str:
        """What it is enforced on."""
        return obj.target_kind.replace("_", " ")

    def create(self, request: HttpRequest, form: AttachmentForm) -> PolicyAttachment:
        """Attach a policy."""
        return services.attach_policy(actor=self.actor(request), **form.given())

    def remove(self, request: HttpRequest, obj: PolicyAttachment) -> None:
        """Detach a policy."""
        services.detach_policy(actor=self.actor(request), attachment=obj)
