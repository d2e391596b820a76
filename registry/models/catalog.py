"""Registered models, their versions, and the names that point at versions."""

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from authz.ids import new_id
from authz.models import Project, ProjectOwned, ProjectOwnedQuerySet
from integrations.models import Integration
from registry.tasks import MODEL_TYPES, TASKS

MAX_CACHE_TTL_S = 30 * 86_400
MODEL_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._ -]{0,198}[A-Za-z0-9])?"
IDENTIFIER = r"[A-Za-z0-9](?:[A-Za-z0-9._:/@-]{0,198}[A-Za-z0-9])?"
ALIAS_NAME = r"[A-Za-z](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?"


class RegisteredModelQuerySet(ProjectOwnedQuerySet):
    """Reads of models."""

    def existing(self) -> "RegisteredModelQuerySet":
        """Those that were not deleted; deleted ones stay as tombstones for their numbers."""
        return self.filter(deleted_at=None)


class RegisteredModel(ProjectOwned):
    """A model as people speak of it; what runs are its versions."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(
        max_length=200,
        validators=[
            RegexValidator(rf"\A{MODEL_NAME}\Z", "Letters, digits, and inner . _ - or space.")
        ],
    )
    model_type = models.CharField(max_length=20, choices=[(word, word) for word in MODEL_TYPES])
    description = models.TextField(blank=True, max_length=10_000)
    tags = models.JSONField(default=dict, blank=True)
    # Numbers only ever go up, also past deleted versions and a deleted model.
    last_number = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[Any] = RegisteredModelQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(fields=["project", "name"], name="model_name_in_project"),
        ]

    def __str__(self) -> str:
        return self.name


class ModelVersionQuerySet(ProjectOwnedQuerySet["ModelVersion"]):
    """Reads of versions."""

    def existing(self) -> "ModelVersionQuerySet":
        """Those whose model was not deleted."""
        return self.filter(model__deleted_at=None)

    def callable(self) -> "ModelVersionQuerySet":
        """Those that may answer calls."""
        return self.existing().filter(is_active=True, status=ModelVersion.Status.READY)


class ModelVersion(models.Model):
    """One thing that can be called: a provider's model, with its parameters, limits and prices."""

    class Status(models.TextChoices):
        """Whether it is complete."""

        PENDING = "PENDING_REGISTRATION", "Pending"
        READY = "READY", "Ready"
        FAILED = "FAILED_REGISTRATION", "Failed"

    class BodyLogging(models.TextChoices):
        """What is kept of the texts of calls."""

        NONE = "none", "Nothing"
        REDACTED = "redacted", "Redacted texts"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    project = models.ForeignKey(Project, models.PROTECT, related_name="+")
    # Its index is the first part of two others.
    model = models.ForeignKey(
        RegisteredModel, models.CASCADE, related_name="versions", db_index=False
    )
    number = models.PositiveIntegerField(editable=False)
    # The API's model_id; Django takes that name for the column of the foreign key above.
    identifier = models.CharField(
        "model id",
        max_length=200,
        help_text="A name of its own in the project.",
        validators=[RegexValidator(rf"\A{IDENTIFIER}\Z", "Letters, digits, and inner . _ : / @ -")],
    )
    label = models.CharField(
        max_length=100, blank=True, help_text='The version as people write it: "1.0".'
    )
    description = models.TextField(blank=True, max_length=10_000)
    provider = models.CharField(max_length=50)
    provider_model = models.CharField(max_length=200, help_text="The model's name at its provider.")
    integration = models.ForeignKey(
        Integration,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="model_versions",
        help_text="How to reach the provider; none for models in this process.",
    )
    tasks = models.JSONField(default=list, blank=True)
    parameters = models.JSONField(
        default=dict, blank=True, help_text="Defaults of calls: temperature, max_tokens."
    )
    limits = models.JSONField(
        default=dict, blank=True, help_text="max_tokens: what one call may ask for."
    )
    prices = models.JSONField(
        default=dict,
        blank=True,
        help_text=(
            "input_usd_per_mtok, output_usd_per_mtok, cached_input_usd_per_mtok, "
            "cache_write_usd_per_mtok: USD per million tokens; empty takes the vendor's list price."
        ),
    )
    fallbacks = models.JSONField(
        default=list,
        blank=True,
        help_text='Who answers when this fails: [{"model": "name", "on": ["error"]}].',
    )
    performance_metrics = models.JSONField(default=dict, blank=True, editable=False)
    source = models.CharField(max_length=2000, blank=True)
    digest = models.CharField(
        max_length=200, blank=True, help_text="Of what is at the source: sha256:…"
    )
    input_schema = models.JSONField(default=dict, blank=True, help_text="JSON Schema 2020-12.")
    output_schema = models.JSONField(default=dict, blank=True, help_text="JSON Schema 2020-12.")
    # What MLflow's clients send along, given back as it came.
    run_id = models.CharField(max_length=100, blank=True, editable=False)
    run_link = models.CharField(max_length=2000, blank=True, editable=False)
    mlflow_model_id = models.CharField(max_length=200, blank=True, editable=False)
    stage = models.CharField(max_length=20, default="None", editable=False)
    status_message = models.CharField(max_length=1000, blank=True, editable=False)
    created_by = models.CharField(max_length=200, blank=True, editable=False)
    tags = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=20, choices=Status, default=Status.READY)
    is_active = models.BooleanField(default=True)
    cache_ttl_s = models.PositiveIntegerField(
        "cache, in seconds",
        null=True,
        blank=True,
        validators=[MaxValueValidator(MAX_CACHE_TTL_S)],
        help_text="How long an answer is given again to the very same question; empty: never.",
    )
    body_logging = models.CharField(max_length=10, choices=BodyLogging, default=BodyLogging.NONE)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = ModelVersionQuerySet.as_manager()

    class Meta:
        ordering = ["model", "-number"]
        permissions = [("invoke_modelversion", "Can call models")]
        constraints = [
            models.UniqueConstraint(fields=["model", "number"], name="version_number_in_model"),
            models.UniqueConstraint(fields=["project", "identifier"], name="model_id_in_project"),
        ]
        indexes = [
            models.Index(fields=["project", "-id"], name="versions_of_project"),
            models.Index(fields=["model", "stage", "number"], name="newest_of_stages"),
            models.Index(fields=["project", "-updated_at"], name="versions_last_changed"),
        ]

    def __str__(self) -> str:
        return f"{self.model.name}:{self.number}"


class ModelAlias(models.Model):
    """A name that points at one version of a model, such as champion."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    model = models.ForeignKey(RegisteredModel, models.CASCADE, related_name="aliases")
    name = models.CharField(
        max_length=100,
        validators=[
            RegexValidator(rf"\A{ALIAS_NAME}\Z", "A letter, then letters, digits and inner . _ -")
        ],
    )
    version = models.ForeignKey(ModelVersion, models.RESTRICT, related_name="aliases")
    updated_at = models.DateTimeField(auto_now=True)

    project_path = "model__project_id"
    objects: ClassVar[Any] = ProjectOwnedQuerySet.as_manager()

    class Meta:
        ordering = ["model", "name"]
        verbose_name_plural = "model aliases"
        constraints = [models.UniqueConstraint(fields=["model", "name"], name="alias_in_model")]

    def __str__(self) -> str:
        return f"{self.model.name}@{self.name}"

    def clean(self) -> None:
        """Refuse a version of another model."""
        if self.version_id and self.version.model.pk != self.model.pk:
            raise ValidationError({"version": "This version belongs to another model."})


class TaskDefault(ProjectOwned):
    """The model that answers a project's calls of a task which name none."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    task = models.CharField(max_length=10, choices=[(task, task) for task in TASKS])
    model = models.ForeignKey(RegisteredModel, models.CASCADE, related_name="default_for")

    class Meta:
        ordering = ["task"]
        constraints = [
            models.UniqueConstraint(fields=["project", "task"], name="one_default_per_task"),
            models.CheckConstraint(condition=Q(task__in=TASKS), name="default_of_a_known_task"),
        ]

    def __str__(self) -> str:
        return f"{self.task} → {self.model}"
