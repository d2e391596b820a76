"""External systems and how to reach them."""

from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from authz.ids import new_id
from authz.models import ProjectOwned, ProjectOwnedQuerySet
from authz.secrets.fields import EncryptedTextField

NAME = r"[a-z0-9](?:[a-z0-9._-]{0,98}[a-z0-9])?"

_positive_s = [MinValueValidator(0.05), MaxValueValidator(3600)]


class Integration(ProjectOwned):
    """An external system: where it is, how to prove oneself to it, how long to wait and retry."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(
        max_length=100,
        validators=[RegexValidator(rf"\A{NAME}\Z", "Lower-case letters, digits, and inner . _ -")],
    )
    description = models.TextField(blank=True, max_length=2000)
    base_url = models.CharField(max_length=2000, help_text="Calls go to paths below it.")
    api_key = EncryptedTextField(
        help_text="The secret: token, key, password, client secret or signing key."
    )
    auth_scheme = models.CharField(max_length=30, default="bearer")
    auth_settings = models.JSONField(
        default=dict, blank=True, help_text="What the scheme needs besides the secret."
    )
    headers = models.JSONField(default=dict, blank=True, help_text="Sent with every call.")
    connect_timeout_s = models.FloatField(default=5.0, validators=_positive_s)
    first_byte_timeout_s = models.FloatField(default=30.0, validators=_positive_s)
    idle_timeout_s = models.FloatField(default=30.0, validators=_positive_s)
    timeout_s = models.FloatField(
        default=30.0, validators=_positive_s, help_text="For one call in all, retries included."
    )
    max_retries = models.PositiveSmallIntegerField(default=3, validators=[MaxValueValidator(10)])
    retry_delay_s = models.FloatField(
        default=1.0,
        validators=[MinValueValidator(0), MaxValueValidator(600)],
        help_text="Before the first retry; doubles with each further one.",
    )
    retries_unsafe = models.BooleanField(
        "retry every method",
        default=False,
        help_text="Also POST and PATCH without an Idempotency-Key, which may then be done twice.",
    )
    max_redirects = models.PositiveSmallIntegerField(
        default=0,
        validators=[MaxValueValidator(3)],
        help_text="Followed by GET and HEAD; another host gets no credentials.",
    )
    requests_per_minute = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1_000_000)],
        help_text="Attempts, over all processes; empty for no limit.",
    )
    parallel_calls = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(1000)],
        help_text="At once, over all processes; empty for no limit.",
    )
    response_limit_bytes = models.PositiveIntegerField(
        default=4 * 1024 * 1024,
        validators=[MinValueValidator(1), MaxValueValidator(64 * 1024 * 1024)],
        help_text="Longest answer that is taken, once unpacked.",
    )
    allowed_networks = models.JSONField(
        default=list,
        blank=True,
        help_text="CIDRs it may lead to, among those that the installation allows; empty for all.",
    )
    test_endpoint = models.CharField(
        max_length=2000, default="/", help_text="What a test of the connection gets."
    )
    logs_bodies = models.BooleanField(
        "keep bodies", default=False, help_text="Beginnings of bodies, redacted, in the call log."
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        permissions = [("call_integration", "Can call integration")]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="integration_name_in_project")
        ]

    def __str__(self) -> str:
        return self.name


class CallRecord(models.Model):
    """One attempt to call an external system, or one call that was refused before any.

    Written in batches, never changed. Without foreign keys, as its kind is written often and
    outlives what it tells of.
    """

    id = models.BigAutoField(primary_key=True)
    created_at = models.DateTimeField(db_index=True)
    project_id = models.UUIDField()
    integration_id = models.UUIDField()
    integration_name = models.CharField(max_length=100)
    request_id = models.CharField(max_length=128)
    actor_label = models.CharField(max_length=200)
    credential = models.CharField(max_length=60, blank=True)
    method = models.CharField(max_length=10)
    endpoint = models.CharField(max_length=500, help_text="Values of its query are left out.")
    attempt = models.PositiveSmallIntegerField(help_text="0: refused before the first.")
    status = models.PositiveSmallIntegerField(null=True, help_text="Empty without an answer.")
    is_error = models.BooleanField()
    error_code = models.CharField(max_length=60, blank=True)
    error = models.CharField(max_length=500, blank=True)
    latency_ms = models.FloatField()
    response_bytes = models.PositiveIntegerField(null=True)
    request_text = models.TextField(null=True)  # noqa: DJ001 -- NULL is "not kept"
    response_text = models.TextField(null=True)  # noqa: DJ001

    objects: ClassVar[Any] = ProjectOwnedQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        verbose_name = "call"
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["project_id", "-id"], name="call_by_project"),
            models.Index(fields=["integration_id", "created_at"], name="call_by_integration"),
        ]

    def __str__(self) -> str:
        return f"{self.method} {self.integration_name}{self.endpoint}"[:200]


class BreakerState(models.Model):
    """The circuit breaker of one integration, shared by all processes; no row means closed.

    Moments are microseconds since the epoch, 0 for never.
    """

    integration = models.OneToOneField(
        Integration, models.CASCADE, primary_key=True, related_name="breaker"
    )
    window_us = models.BigIntegerField(default=0, help_text="When the present count began.")
    calls = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    opened_us = models.BigIntegerField(default=0)
    probe_us = models.BigIntegerField(default=0, help_text="Until when a probe may take.")
    probe = models.CharField(max_length=32, blank=True)

    project_path = "integration__project_id"
    objects: ClassVar[Any] = ProjectOwnedQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"breaker of {self.integration_id}"


class AccessToken(models.Model):
    """The access token that an integration was given last, for all processes."""

    integration = models.OneToOneField(
        Integration, models.CASCADE, primary_key=True, related_name="access_token"
    )
    token = EncryptedTextField()
    given_for = models.CharField(
        max_length=64, blank=True, help_text="A keyed hash of what it was asked with."
    )
    expires_at = models.DateTimeField(null=True)
    refreshing_until = models.DateTimeField(null=True)

    project_path = "integration__project_id"
    objects: ClassVar[Any] = ProjectOwnedQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"access token of {self.integration_id}"
