"""Telling the outside world: who is told of what, what was told, and how each telling went."""

from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from authz.ids import new_id
from authz.models import Project, ProjectOwned, ProjectOwnedQuerySet
from authz.secrets.fields import EncryptedTextField

EVENT_TYPE_LENGTH = 100


class EventTypeQuerySet(ProjectOwnedQuerySet["EventType"]):
    """Reads of the catalogue."""

    def known_in(self, project_id: Any) -> "EventTypeQuerySet":
        """The project's own types and the built-in ones."""
        return self.filter(models.Q(project=project_id) | models.Q(project=None))


class EventType(models.Model):
    """A kind of event that is told, and what its data looks like; built in without a project."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, models.PROTECT, null=True, blank=True, related_name="+")
    name = models.CharField(max_length=EVENT_TYPE_LENGTH)
    description = models.CharField(max_length=500, blank=True)
    schema = models.JSONField(
        null=True, blank=True, help_text="JSON Schema 2020-12 that its data must satisfy."
    )
    is_archived = models.BooleanField(default=False, help_text="It is published no more.")
    created_at = models.DateTimeField(auto_now_add=True)

    objects = EventTypeQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="event_type_in_project"),
            models.UniqueConstraint(
                fields=["name"],
                condition=models.Q(project=None),
                name="one_built_in_event_type",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class WebhookEndpoint(ProjectOwned):
    """A URL that is told of events, and how."""

    class State(models.TextChoices):
        """Whether it is told now."""

        ACTIVE = "active", "Active"
        DISABLED = "disabled", "Disabled"

    class Reason(models.TextChoices):
        """Why it is not."""

        MANUAL = "manual", "By hand"
        GONE = "gone", "It answered 410 Gone"
        FAILING_DAYS = "failing_days", "It failed for too many days"
        FAILING_ATTEMPTS = "failing_attempts", "Too many attempts in a row failed"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    description = models.CharField(max_length=200, blank=True)
    url = models.CharField("URL", max_length=2000)
    event_types = models.JSONField(
        default=list, help_text="Names, or patterns such as model.alert.* and *."
    )
    secret = EncryptedTextField(help_text="Signs what is sent.")
    old_secrets = EncryptedTextField(help_text="Replaced ones that sign along for a while.")
    headers = models.JSONField(default=dict, blank=True, help_text="Sent along.")
    deliveries_per_minute = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1_000_000)],
        help_text="Evenly spaced, over all workers; empty for no limit.",
    )
    is_ordered = models.BooleanField(
        "in order",
        default=False,
        help_text="One at a time, in the order published; what fails holds up the rest.",
    )
    timeout_s = models.FloatField(
        default=15.0,
        validators=[MinValueValidator(0.1), MaxValueValidator(60)],
        help_text="For one attempt in all, in seconds.",
    )
    disable_after_days = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        default=5,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text="Without one success; empty for never.",
    )
    disable_after_failures = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1_000_000)],
        help_text="Attempts in a row; empty for never.",
    )
    state = models.CharField(max_length=10, choices=State, default=State.ACTIVE)
    disabled_reason = models.CharField(max_length=20, choices=Reason, blank=True)
    disabled_at = models.DateTimeField(null=True, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)
    consecutive_failures = models.PositiveIntegerField(default=0)
    slot_us = models.BigIntegerField(
        default=0, help_text="Until when its rate is spoken for, in microseconds of the epoch."
    )
    last_sequence = models.BigIntegerField(default=0)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        verbose_name = "webhook endpoint"

    def __str__(self) -> str:
        return (self.description or self.url)[:200]


class WebhookMessage(ProjectOwned):
    """An event as it is told to everybody: the very text that is signed and sent."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    message_id = models.CharField(max_length=64, help_text="The webhook-id of every attempt.")
    event_type = models.CharField(max_length=EVENT_TYPE_LENGTH)
    body = models.TextField()
    content_hash = models.CharField(max_length=64)
    published_by = models.CharField(max_length=200)
    request_id = models.CharField(max_length=128, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        verbose_name = "webhook message"
        default_permissions = ("view",)
        permissions = [("publish_webhookmessage", "Can publish webhook message")]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "message_id"], name="webhook_message_id_in_project"
            )
        ]
        indexes = [
            models.Index(fields=["project", "-id"], name="hook_message_by_project"),
            models.Index(fields=["created_at"], name="hook_message_by_age"),
        ]

    def __str__(self) -> str:
        return self.message_id


class WebhookDelivery(models.Model):
    """One message for one endpoint.

    `run` names the claim that may act for it: whoever claims it or makes it due anew moves it on,
    and what an older claim still finds out is noted but decides nothing.
    """

    class State(models.TextChoices):
        """How far it came."""

        PENDING = "pending", "Pending"
        HELD = "held", "Held"
        SUCCEEDED = "succeeded", "Succeeded"
        EXHAUSTED = "exhausted", "Exhausted"
        FAILED = "failed", "Failed on our side"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project_id = models.UUIDField()
    message = models.ForeignKey(WebhookMessage, models.CASCADE, related_name="deliveries")
    endpoint = models.ForeignKey(
        WebhookEndpoint, models.CASCADE, related_name="deliveries", db_index=False
    )
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    sequence = models.BigIntegerField(default=0, help_text="Its place where order counts.")
    run = models.PositiveIntegerField(default=0)
    step = models.PositiveSmallIntegerField(default=0, help_text="Where in the retry schedule.")
    attempt_count = models.PositiveIntegerField(default=0)
    replay_count = models.PositiveIntegerField(default=0)
    has_slot = models.BooleanField(default=False, help_text="Whether the rate lets it pass.")
    next_attempt_at = models.DateTimeField(null=True)
    last_status = models.PositiveSmallIntegerField(null=True)
    last_error_code = models.CharField(max_length=60, blank=True)
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = ProjectOwnedQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = "webhook delivery"
        verbose_name_plural = "webhook deliveries"
        default_permissions = ("view",)
        permissions = [("replay_webhookdelivery", "Can replay webhook delivery")]
        constraints = [
            models.UniqueConstraint(
                fields=["message", "endpoint"], name="one_delivery_per_message_and_endpoint"
            )
        ]
        indexes = [
            models.Index(fields=["project_id", "-id"], name="hook_delivery_by_project"),
            models.Index(fields=["endpoint", "-id"], name="hook_delivery_by_endpoint"),
            models.Index(
                fields=["endpoint", "sequence", "id"],
                condition=models.Q(state__in=["pending", "held"]),
                name="hook_delivery_open",
            ),
            models.Index(
                fields=["endpoint", "next_attempt_at"],
                condition=models.Q(state="pending"),
                name="hook_delivery_due",
            ),
            models.Index(
                fields=["next_attempt_at"],
                condition=models.Q(state="pending"),
                name="hook_delivery_next",
            ),
            models.Index(
                fields=["endpoint"], condition=models.Q(state="held"), name="hook_delivery_held"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.message} to {self.endpoint}"


class DeliveryAttempt(models.Model):
    """One request that was made, or could not be made, for a delivery."""

    id = models.BigAutoField(primary_key=True)
    delivery = models.ForeignKey(WebhookDelivery, models.CASCADE, related_name="attempts")
    endpoint_id = models.UUIDField()
    number = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    destination = models.CharField(max_length=300, help_text="Where it went, without its query.")
    is_error = models.BooleanField()
    status = models.PositiveSmallIntegerField(null=True, help_text="Empty without an answer.")
    latency_ms = models.FloatField()
    error_code = models.CharField(max_length=60, blank=True)
    error = models.CharField(max_length=500, blank=True)
    response_excerpt = models.TextField(blank=True, help_text="Its beginning, redacted.")

    project_path = "delivery__project_id"
    objects: ClassVar[Any] = ProjectOwnedQuerySet.as_manager()

    class Meta:
        ordering = ["id"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["delivery", "number"], name="one_attempt_of_each_number"
            )
        ]
        indexes = [models.Index(fields=["endpoint_id", "started_at"], name="attempt_by_endpoint")]

    def __str__(self) -> str:
        return f"attempt {self.number}"


class AuditFeed(models.Model):
    """How far the audit log was told; one row."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    event_id = models.BigIntegerField(default=0, help_text="Everything up to it was told.")

    class Meta:
        default_permissions = ()
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_audit_feed")]

    def __str__(self) -> str:
        return str(self.event_id)
