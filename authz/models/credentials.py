"""What callers prove themselves with: sessions behind tokens, and API keys."""

from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone

from authz.ids import new_id
from authz.models.projects import Project
from authz.models.scoping import ProjectOwnedQuerySet
from authz.models.users import User


class LiveQuerySet(ProjectOwnedQuerySet):
    """Reads of credentials."""

    def live(self, now: datetime | None = None) -> "LiveQuerySet":
        """Those that still count: neither revoked nor expired."""
        now = now or timezone.now()
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


class Session(models.Model):
    """A login: the refresh token that counts now, and whether its access tokens still do."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="sessions")
    project = models.ForeignKey(Project, models.CASCADE, related_name="sessions")
    scopes = models.JSONField(default=list, help_text="Permissions kept; empty keeps all.")
    credential_epoch = models.PositiveIntegerField()
    refresh_jti = models.UUIDField(help_text="The only refresh token that is taken next.")
    access_lifetime_s = models.PositiveIntegerField()
    created_at = models.DateTimeField(auto_now_add=True)
    refreshed_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    revoked_reason = models.CharField(max_length=40, blank=True)
    address = models.GenericIPAddressField(null=True, blank=True)

    objects = LiveQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return str(self.id)


class APIKey(models.Model):
    """A long-lived credential of a user in a project; only its keyed hash is stored."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="api_keys")
    project = models.ForeignKey(Project, models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=100)
    public_id = models.CharField(max_length=12, unique=True, editable=False)
    secret_hash = models.CharField(max_length=64, editable=False)
    scopes = models.JSONField(
        default=list, blank=True, help_text="Permissions kept; empty keeps all."
    )
    allowed_cidrs = models.JSONField(
        default=list,
        blank=True,
        verbose_name="Allowed networks",
        help_text='Networks it counts from, such as ["10.0.0.0/8"]; empty for everywhere.',
    )
    previous_secret_hash = models.CharField(max_length=64, blank=True, editable=False)
    previous_until = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="How long the text before still counts."
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = LiveQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = "API key"

    def __str__(self) -> str:
        return f"{self.name} ({self.public_id})"
