"""How aliases have moved, and who must agree before they move."""

from typing import Any, ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, OuterRef, Q, Subquery

from authz.ids import new_id
from authz.models import Project, ProjectOwned, ProjectOwnedQuerySet
from registry.models.catalog import ALIAS_NAME, ModelVersion, RegisteredModel


class AliasChangeQuerySet(ProjectOwnedQuerySet["AliasChange"]):
    """Reads of the history of aliases."""

    def of_alias(self, model: RegisteredModel, name: str) -> "AliasChangeQuerySet":
        """The moves of one alias, with the moment at which each ended."""
        following = AliasChange.objects.filter(
            model=OuterRef("model"), name=OuterRef("name"), sequence=OuterRef("sequence") + 1
        )
        return self.filter(model=model, name=name).annotate(
            valid_until=Subquery(following.values("valid_from")[:1])
        )

    def as_of(self, moment: Any) -> "AliasChangeQuerySet":
        """The one move that was in effect: intervals include their begin and exclude their end."""
        return self.filter(valid_from__lte=moment).filter(
            Q(valid_until=None) | Q(valid_until__gt=moment)
        )


class AliasChange(models.Model):
    """One move of an alias. Rows are added and never changed; their sequence has no gap.

    The version stands here by number: the history outlives it, and the alias.
    """

    id = models.BigAutoField(primary_key=True)
    model = models.ForeignKey(RegisteredModel, models.PROTECT, related_name="alias_changes")
    name = models.CharField(max_length=100)
    sequence = models.PositiveIntegerField()
    version_number = models.PositiveIntegerField(null=True, help_text="Empty: it was removed.")
    previous_number = models.PositiveIntegerField(null=True)
    restores = models.PositiveIntegerField(
        null=True, help_text="The sequence number that a rollback went back to."
    )
    valid_from = models.DateTimeField()
    actor_label = models.CharField(max_length=200)
    reason = models.CharField(max_length=1000, blank=True)

    project_path = "model__project_id"
    objects = AliasChangeQuerySet.as_manager()

    class Meta:
        ordering = ["model", "name", "-sequence"]
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["model", "name", "sequence"], name="moves_of_an_alias_are_counted"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} → {self.version_number or 'nothing'}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Insert only."""
        if not self._state.adding:
            raise TypeError("The history of an alias is never changed.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Refuse."""
        raise TypeError("The history of an alias is never deleted.")


class ProtectedAlias(ProjectOwned):
    """An alias that moves only when its gates hold, by those who may move it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(
        max_length=100,
        validators=[
            RegexValidator(rf"\A{ALIAS_NAME}\Z", "A letter, then letters, digits and inner . _ -")
        ],
        help_text="The alias, on every model of the project.",
    )
    movers = models.JSONField(
        default=list,
        blank=True,
        help_text='Roles that may move it: ["admin"]; empty: whoever may move aliases.',
    )
    requires_approval = models.BooleanField(default=True)
    condition = models.CharField(
        max_length=4000,
        blank=True,
        help_text="A filter that the version must match: metrics.accuracy >= 0.9",
    )
    gates = models.JSONField(
        default=list, blank=True, help_text='Registered gates: ["no_critical_alert"].'
    )
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        verbose_name_plural = "protected aliases"
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"], name="one_protection_per_alias_of_a_project"
            )
        ]

    def __str__(self) -> str:
        return self.name


class ApprovalRequest(models.Model):
    """Whether a version may take an alias: asked by one person, answered by another."""

    class State(models.TextChoices):
        """What came of it."""

        PENDING = "PENDING", "Pending"
        APPROVED = "APPROVED", "Approved"
        REJECTED = "REJECTED", "Rejected"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, models.PROTECT, related_name="+")
    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="approvals")
    alias = models.CharField(max_length=100)
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    comment = models.CharField(max_length=1000, blank=True)
    requester_id = models.CharField(max_length=40)
    requester_label = models.CharField(max_length=200)
    reviewer_label = models.CharField(max_length=200, blank=True)
    review_comment = models.CharField(max_length=1000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    reviewed_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = ProjectOwnedQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view", "add")
        permissions = [("review_approvalrequest", "Can approve and reject")]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "alias"],
                condition=Q(state="PENDING"),
                name="one_pending_approval_per_version_and_alias",
            )
        ]
        indexes = [models.Index(F("project"), F("id").desc(), name="approvals_of_project")]

    def __str__(self) -> str:
        return f"{self.version} as {self.alias}"
