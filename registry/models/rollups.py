"""Measurements in sum: what searches, thresholds and charts read."""

from typing import Any, ClassVar

from django.core.validators import RegexValidator
from django.db import models

from authz.ids import new_id
from authz.models import ProjectOwned, ProjectOwnedQuerySet
from registry.models.catalog import ModelVersion

METRIC_NAME = r"[A-Za-z][A-Za-z0-9_.:/-]{0,99}"


class MetricDefinition(ProjectOwned):
    """What a metric is measured in, and which way is better."""

    class Direction(models.TextChoices):
        """Which way is better."""

        HIGHER = "HIGHER", "Higher is better"
        LOWER = "LOWER", "Lower is better"
        TARGET = "TARGET", "Near its target is better"

    class Kind(models.TextChoices):
        """What its values are."""

        GAUGE = "gauge", "A level"
        COUNT = "count", "A count"
        DURATION = "duration", "A duration"
        RATIO = "ratio", "A share"
        MONEY = "money", "Money"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    key = models.CharField(
        max_length=100,
        validators=[
            RegexValidator(rf"\A{METRIC_NAME}\Z", "A letter, then letters, digits, _ . : / -")
        ],
    )
    unit = models.CharField(
        max_length=20, blank=True, help_text="ms, USD, tokens; empty for shares."
    )
    direction = models.CharField(max_length=6, choices=Direction)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.GAUGE)
    description = models.CharField(max_length=1000, blank=True)

    class Meta:
        ordering = ["key"]
        constraints = [
            models.UniqueConstraint(fields=["project", "key"], name="metric_key_in_project")
        ]

    def __str__(self) -> str:
        return self.key


class MetricRollup(models.Model):
    """The values of one metric of one version in one minute, hour or day."""

    LEVELS_S: ClassVar[tuple[int, ...]] = (60, 3600, 86_400)

    id = models.BigAutoField(primary_key=True)
    version = models.ForeignKey(
        ModelVersion, models.CASCADE, related_name="rollups", db_constraint=False
    )
    metric = models.CharField(max_length=100)
    level_s = models.PositiveIntegerField()
    begins_at = models.DateTimeField()
    count = models.PositiveIntegerField()
    total = models.FloatField()
    least = models.FloatField()
    most = models.FloatField()
    buckets = models.JSONField(default=dict)

    project_path = "version__project_id"
    objects: ClassVar[Any] = ProjectOwnedQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["version", "metric", "level_s", "begins_at"], name="one_rollup_per_bucket"
            )
        ]
        indexes = [models.Index(fields=["level_s", "begins_at"], name="rollups_by_age")]

    def __str__(self) -> str:
        return f"{self.metric} {self.begins_at:%Y-%m-%d %H:%M}"


class RollupPosition(models.Model):
    """How far a table of measurements has been summed up.

    Rows up to `rolled_id` are in the rollups. Rows up to `seen_id` were there at the last run: they
    are summed up by the next one, when whoever was writing among them has finished.
    """

    source = models.CharField(primary_key=True, max_length=20)
    rolled_id = models.BigIntegerField(default=0)
    seen_id = models.BigIntegerField(default=0)
    seen_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.source} up to {self.rolled_id}"


class VersionMetric(models.Model):
    """One number that says how a version does: its latest report, or an aggregate of 24 hours."""

    id = models.BigAutoField(primary_key=True)
    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="metric_values")
    metric = models.CharField(max_length=100)
    aggregation = models.CharField(max_length=10, help_text="latest, or avg, p95, … of 24 hours.")
    value = models.FloatField()
    computed_at = models.DateTimeField()

    project_path = "version__project_id"
    objects: ClassVar[Any] = ProjectOwnedQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["version", "metric", "aggregation"], name="one_value_per_aggregate"
            )
        ]
        indexes = [
            models.Index(
                fields=["metric", "aggregation", "value", "version"], name="versions_by_metric"
            )
        ]

    def __str__(self) -> str:
        return f"{self.metric}.{self.aggregation}={self.value}"
