"""Measurements of versions."""

from typing import Any, ClassVar

from django.db import models

from authz.models import ProjectOwnedQuerySet
from registry.models.catalog import ModelVersion


class MetricSample(models.Model):
    """One measured value of one version at one moment."""

    class Source(models.TextChoices):
        """Who measured."""

        REPORTED = "reported", "Reported"
        INFERENCE = "inference", "Measured on a call"

    id = models.BigAutoField(primary_key=True)
    # No constraint in the database: samples come in batches from the call path, and a version's
    # samples go with it.
    version = models.ForeignKey(
        ModelVersion, models.CASCADE, related_name="samples", db_constraint=False
    )
    metric = models.CharField(max_length=100)
    value = models.FloatField()
    ts = models.DateTimeField()
    source = models.CharField(max_length=10, choices=Source, default=Source.REPORTED)

    project_path = "version__project_id"
    objects: ClassVar[Any] = ProjectOwnedQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view", "add")
        constraints = [
            # What is sent twice is kept once.
            models.UniqueConstraint(
                fields=["version", "metric", "ts", "value", "source"], name="samples_of_version"
            )
        ]
        indexes = [
            models.Index(fields=["version", "-ts", "-id"], name="history_of_version"),
        ]

    def __str__(self) -> str:
        return f"{self.metric}={self.value}"
