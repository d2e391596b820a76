"""External systems and how to reach them."""

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from authz.ids import new_id
from authz.models import ProjectOwned
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
    api_key = EncryptedTextField(help_text="Sent as a Bearer token.")
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
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="integration_name_in_project")
        ]

    def __str__(self) -> str:
        return self.name
