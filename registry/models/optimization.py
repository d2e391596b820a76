"""Rules that find what could be better, and what they recommend."""

from django.db import models
from django.db.models import Q

from authz.ids import new_id
from authz.models import ProjectOwned
from registry.models.catalog import ModelVersion


class OptimizationRule(ProjectOwned):
    """When a version matches, something is recommended."""

    class Action(models.TextChoices):
        """What is recommended."""

        SWITCH_PROVIDER = "switch_provider", "Switch the provider"
        LOWER_MAX_TOKENS = "lower_max_tokens", "Lower max_tokens"
        MOVE_ALIAS = "move_alias", "Move an alias"
        ENABLE_FALLBACK = "enable_fallback", "Enable a fallback"
        DEACTIVATE = "deactivate", "Deactivate"
        NOTIFY = "notify", "Tell somebody"
        CALL = "call", "Call registered code"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=100)
    condition = models.CharField(
        max_length=4000, blank=True, help_text="A filter: metrics.latency_ms.p95 > 800"
    )
    finder = models.CharField(
        max_length=100, blank=True, help_text="Registered Python code, instead of a condition."
    )
    action = models.CharField(max_length=20, choices=Action)
    parameters = models.JSONField(
        default=dict, blank=True, help_text='Of the finder and the action: {"alias": "default"}.'
    )
    expires_after_days = models.PositiveIntegerField(default=30)
    is_active = models.BooleanField(default=True)
    last_error = models.CharField(max_length=500, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="rule_name_in_project"),
            models.CheckConstraint(
                condition=Q(condition="") ^ Q(finder=""), name="a_rule_has_one_way_to_find"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Recommendation(ProjectOwned):
    """What a rule recommends for a version, and what became of it."""

    class State(models.TextChoices):
        """What became of it."""

        OPEN = "OPEN", "Open"
        ACCEPTED = "ACCEPTED", "Accepted"
        DISMISSED = "DISMISSED", "Dismissed"
        APPLIED = "APPLIED", "Applied"
        SUPERSEDED = "SUPERSEDED", "Superseded"
        EXPIRED = "EXPIRED", "Expired"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    rule = models.ForeignKey(OptimizationRule, models.CASCADE, related_name="recommendations")
    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="recommendations")
    action = models.CharField(max_length=20, choices=OptimizationRule.Action)
    parameters = models.JSONField(default=dict)
    text = models.CharField(max_length=500)
    evidence = models.JSONField(default=dict)
    expected_change = models.JSONField(
        null=True, help_text="Of seven days of usage; empty where too little was measured."
    )
    state = models.CharField(max_length=10, choices=State, default=State.OPEN)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    decided_at = models.DateTimeField(null=True)
    decided_by = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view", "change")
        constraints = [
            models.UniqueConstraint(
                fields=["rule", "version"],
                condition=Q(state="OPEN"),
                name="one_open_recommendation_per_rule_and_version",
            )
        ]
        indexes = [
            models.Index(fields=["project", "state", "-id"], name="recommendations_by_state")
        ]

    def __str__(self) -> str:
        return self.text
