"""What was called, by whom, and what came of it."""

from typing import Any, ClassVar

from django.db import models

from authz.models import ProjectOwnedQuerySet


class InferenceRecord(models.Model):
    """One call of a model: who, what, how long, how much. Written in batches, never changed.

    Caller and project are identifiers without foreign keys: checking them would cost each row
    more than writing it, and the record outlives them.
    """

    id = models.BigAutoField(primary_key=True)
    created_at = models.DateTimeField(db_index=True)
    project_id = models.UUIDField()
    user_id = models.UUIDField()
    user_label = models.CharField(max_length=150)
    credential = models.CharField(max_length=60)
    request_id = models.CharField(max_length=128)
    task = models.CharField(max_length=10)
    version_id = models.UUIDField(null=True)
    model = models.CharField(max_length=200, blank=True)
    route = models.CharField(max_length=200, blank=True, help_text="Through which it was called.")
    version = models.PositiveIntegerField(null=True)
    provider = models.CharField(max_length=50, blank=True)
    policies = models.TextField(
        blank=True, help_text="Security policies that judged it, each with its version."
    )
    status = models.PositiveSmallIntegerField(help_text="HTTP status of the answer.")
    error_code = models.CharField(max_length=60, blank=True)
    finish_reason = models.CharField(max_length=30, blank=True)
    input_tokens = models.PositiveIntegerField(null=True, help_text="Empty if nobody knows.")
    output_tokens = models.PositiveIntegerField(null=True)
    cached_tokens = models.PositiveIntegerField(
        null=True, help_text="Those of the input that the provider's cache gave."
    )
    is_estimated = models.BooleanField(
        "tokens estimated", default=False, help_text="By length: the provider did not say."
    )
    cost_usd = models.DecimalField(max_digits=18, decimal_places=9, null=True)
    latency_ms = models.FloatField()
    overhead_ms = models.FloatField(null=True, help_text="The gateway's own part.")
    first_token_ms = models.FloatField(null=True)
    is_stream = models.BooleanField(default=False)
    from_cache = models.BooleanField(default=False)
    tries = models.PositiveSmallIntegerField(default=0)
    request_text = models.TextField(null=True)  # noqa: DJ001 -- NULL is "not kept"
    answer_text = models.TextField(null=True)  # noqa: DJ001

    objects: ClassVar[Any] = ProjectOwnedQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["project_id", "-id"], name="inference_by_project"),
            models.Index(fields=["project_id", "created_at"], name="inference_of_a_period"),
            models.Index(fields=["version_id", "-id"], name="inference_by_version"),
        ]

    def __str__(self) -> str:
        return f"{self.task} {self.model} {self.status}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert only."""
        if not self._state.adding:
            raise TypeError("An inference record is never changed.")
        super().save(*args, **kwargs)
