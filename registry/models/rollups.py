"""Measurements in sum: what searches, thresholds and charts read."""

from django.db import models

from registry.models.catalog import ModelVersion


class VersionMetric(models.Model):
    """One number that says how a version does: its latest report, or an aggregate of 24 hours."""

    id = models.BigAutoField(primary_key=True)
    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="metric_values")
    metric = models.CharField(max_length=100)
    aggregation = models.CharField(max_length=10, help_text="latest, or avg, p95, … of 24 hours.")
    value = models.FloatField()
    computed_at = models.DateTimeField()

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
