"""Security policies, every version that they had, and what they are attached to."""

from typing import Any, ClassVar, Self
from uuid import UUID

from django.core.validators import RegexValidator
from django.db import models

from authz.ids import new_id
from authz.models.ownership import ProjectOwned
from authz.models.scoping import ProjectOwnedQuerySet

NAME = r"[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?"


class SecurityPolicy(ProjectOwned):
    """What may leave and what may be stored; its version moves when its rules do."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(
        max_length=63,
        validators=[RegexValidator(rf"\A{NAME}\Z", "Lower-case letters, digits, and inner . _ -")],
    )
    description = models.TextField(blank=True, max_length=2000)
    version = models.PositiveIntegerField(default=1, editable=False)
    rules = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "security policies"
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="policy_name_in_project")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        """What records call the version that decided."""
        return f"{self.name}:{self.version}"


class SecurityPolicyVersion(models.Model):
    """The rules of one version, for whoever reads a record that names it."""

    id = models.BigAutoField(primary_key=True)
    policy = models.ForeignKey(SecurityPolicy, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    rules = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    project_path = "policy__project_id"
    objects: ClassVar[Any] = ProjectOwnedQuerySet.as_manager()

    class Meta:
        ordering = ["policy", "-number"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["policy", "number"], name="one_policy_version")
        ]

    def __str__(self) -> str:
        return f"{self.policy_id}:{self.number}"


class PolicyAttachmentQuerySet(ProjectOwnedQuerySet):
    """Reads of attachments."""

    def of(self, kind: str, target_id: UUID) -> Self:
        """Those of one thing, in the order in which they were made."""
        return self.filter(target_kind=kind, target_id=target_id).order_by("id")


class PolicyAttachment(ProjectOwned):
    """A policy that is enforced on something of a higher floor, known by kind, id and label."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    policy = models.ForeignKey(SecurityPolicy, models.PROTECT, related_name="attachments")
    target_kind = models.CharField(max_length=30, verbose_name="kind")
    target_id = models.UUIDField(editable=False)
    target_label = models.CharField(max_length=200, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects: ClassVar[Any] = PolicyAttachmentQuerySet.as_manager()

    class Meta:
        ordering = ["policy", "id"]
        default_permissions = ()
        indexes = [models.Index(fields=["target_kind", "target_id"], name="attachment_by_target")]
        constraints = [
            models.UniqueConstraint(
                fields=["policy", "target_kind", "target_id"], name="attached_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.policy} on {self.target_label}"
