"""Being told by the outside world: who may tell, and what was told."""

from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from authz.ids import new_id
from authz.models import ProjectOwned, ProjectOwnedQuerySet
from authz.secrets.fields import EncryptedTextField
from integrations.models.connections import NAME


class InboundSource(ProjectOwned):
    """Somebody who tells us of events, and how they prove that it is them."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(
        max_length=100,
        validators=[RegexValidator(rf"\A{NAME}\Z", "Lower-case letters, digits, and inner . _ -")],
    )
    description = models.TextField(blank=True, max_length=2000)
    scheme = models.CharField(max_length=30, default="standard")
    settings = models.JSONField(
        default=dict, blank=True, help_text="What the scheme needs besides the secret."
    )
    secret = EncryptedTextField(help_text="What the sender signs with.")
    old_secrets = EncryptedTextField(help_text="Replaced ones that still count for a while.")
    tolerance_s = models.PositiveIntegerField(
        default=300,
        validators=[MinValueValidator(1), MaxValueValidator(3600)],
        help_text="How far the sender's clock may be from ours, either way, in seconds.",
    )
    body_limit_bytes = models.PositiveIntegerField(
        default=1024 * 1024,
        validators=[MinValueValidator(1), MaxValueValidator(64 * 1024 * 1024)],
        help_text="Longest body that is taken; REQUEST_BODY_LIMIT_BYTES bounds it besides.",
    )
    receivers = models.JSONField(
        default=list, blank=True, help_text="Names of those who are handed each event."
    )
    publishes_as = models.CharField(
        max_length=100,
        blank=True,
        help_text="Event type under which each event is published; empty: it is not.",
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="inbound_source_in_project")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def hands_on(self) -> bool:
        """Whether anybody is to have its events."""
        return bool(self.receivers or self.publishes_as)


class ReceivedEvent(ProjectOwned):
    """An event that a source told us of: kept once, as it came, and handed on to who listens."""

    class State(models.TextChoices):
        """What became of it."""

        KEPT = "kept", "Kept; nobody listens"
        WAITING = "waiting", "Waiting to be handed on"
        HANDLED = "handled", "Handed on"
        FAILED = "failed", "Not handed on"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    source = models.ForeignKey(InboundSource, models.CASCADE, related_name="events")
    event_id = models.CharField(
        max_length=255, help_text="What the sender calls it, or the hash of what was signed."
    )
    event_type = models.CharField(max_length=200, blank=True)
    received_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, help_text="Empty where that is not signed.")
    address = models.GenericIPAddressField(null=True)
    request_id = models.CharField(max_length=128, blank=True)
    content_type = models.CharField(max_length=200, blank=True)
    user_agent = models.CharField(max_length=200, blank=True)
    body = models.TextField(help_text="JSON, as it came.")
    policies = models.JSONField(default=list, help_text="Which let it pass, as name:version.")
    state = models.CharField(max_length=10, choices=State, default=State.KEPT)
    run = models.PositiveIntegerField(default=0, help_text="How often it was replayed.")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="Of this run.")
    next_at = models.DateTimeField(
        null=True, help_text="When it is handed on, or looked for again."
    )
    handled_by = models.JSONField(default=list, help_text="Receivers that have it, in this run.")
    handled_at = models.DateTimeField(null=True)
    message_id = models.CharField(
        max_length=100, blank=True, help_text="The message that it was published as."
    )
    error = models.CharField(max_length=500, blank=True)

    objects: ClassVar[Any] = ProjectOwnedQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view",)
        permissions = [("replay_receivedevent", "Can replay received event")]
        constraints = [
            # What settles it when the same event comes twice at the same moment.
            models.UniqueConstraint(fields=["source", "event_id"], name="received_once")
        ]
        indexes = [
            models.Index(fields=["project", "-id"], name="received_by_project"),
            models.Index(fields=["source", "-id"], name="received_by_source"),
            models.Index(
                fields=["next_at"], condition=models.Q(state="waiting"), name="received_and_due"
            ),
        ]

    def __str__(self) -> str:
        return self.event_id
