"""The record of what was done."""

from typing import Any, ClassVar

from django.db import models

from authz.models.scoping import ProjectOwnedQuerySet


class AuditEvent(models.Model):
    """Something that was done or refused. Rows are added and never changed.

    Actor, project and object stand here as identifiers and labels, not as foreign keys: the
    event outlives them, and nothing that happens to them may change it.
    """

    class Outcome(models.TextChoices):
        """How it ended."""

        SUCCESS = "success", "Success"
        DENIED = "denied", "Denied"
        FAILED = "failed", "Failed"

    id = models.BigAutoField(primary_key=True)
    occurred_at = models.DateTimeField()
    action = models.CharField(max_length=60)
    outcome = models.CharField(max_length=10, choices=Outcome)
    actor_kind = models.CharField(max_length=20)
    actor_id = models.CharField(max_length=40, blank=True)
    actor_label = models.CharField(max_length=200)
    credential = models.CharField(max_length=60, blank=True)
    project_id = models.UUIDField(null=True)
    project_label = models.CharField(max_length=63, blank=True)
    object_type = models.CharField(max_length=60, blank=True)
    object_id = models.CharField(max_length=60, blank=True)
    object_label = models.CharField(max_length=200, blank=True)
    changes = models.JSONField(default=dict)
    request_id = models.CharField(max_length=128, blank=True)
    address = models.GenericIPAddressField(null=True)
    mac = models.CharField(max_length=64)

    objects: ClassVar[Any] = ProjectOwnedQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["project_id", "-id"], name="audit_by_project"),
            models.Index(fields=["object_type", "object_id", "-id"], name="audit_by_object"),
            models.Index(fields=["actor_id", "-id"], name="audit_by_actor"),
        ]

    def __str__(self) -> str:
        return f"{self.actor_label} {self.action} {self.object_label}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert once; the database's triggers refuse the rest in any case."""
        if not self._state.adding:
            raise TypeError("An audit event is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse."""
        raise TypeError("An audit event is never deleted.")
