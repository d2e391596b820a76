"""How much may be called: what is allowed, and how much of it is taken."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from authz.ids import new_id
from authz.models.credentials import APIKey
from authz.models.ownership import ProjectOwned


class CallLimit(ProjectOwned):
    """What a project, or one API key of it, may call; an empty field allows everything."""

    class Window(models.TextChoices):
        """When a budget begins anew, in UTC."""

        DAY = "day", "Each day"
        MONTH = "month", "Each month"
        TOTAL = "total", "Never"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    api_key = models.OneToOneField(
        APIKey,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="call_limit",
        help_text="Whose calls; empty for all of the project's.",
    )
    requests_per_minute = models.PositiveIntegerField(null=True, blank=True)
    tokens_per_minute = models.PositiveIntegerField(null=True, blank=True)
    parallel_calls = models.PositiveIntegerField(null=True, blank=True)
    budget_usd = models.DecimalField(
        "budget in USD", max_digits=12, decimal_places=6, null=True, blank=True
    )
    budget_window = models.CharField(max_length=5, choices=Window, default=Window.MONTH)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["project"], condition=Q(api_key=None), name="one_limit_of_a_project"
            ),
        ]

    def __str__(self) -> str:
        return self.api_key.name if self.api_key else "the whole project"


class RateBucket(models.Model):
    """The state of one rate limit: the moment at which all that was taken is paid for."""

    key = models.CharField(primary_key=True, max_length=200)
    paid_at_us = models.BigIntegerField(db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.key


class HoldAccount(models.Model):
    """What is settled of an amount, and what is held for calls that still run.

    `holds` is a list of [id, expires_us, amount]: one row is all that a call needs to ask and to
    change, so that no two calls can both get the last of it.
    """

    key = models.CharField(primary_key=True, max_length=200)
    settled = models.BigIntegerField(default=0)
    holds = models.JSONField(default=list)
    changed_us = models.BigIntegerField(db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.key
