"""What is watched, what was found, and what is not to be told."""

from typing import Any

from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import Q

from authz.ids import new_id
from authz.models import ProjectOwned
from integrations.models import Integration
from registry.models.catalog import ModelVersion, RegisteredModel
from registry.models.rollups import METRIC_NAME

DAY_S = 86_400
WINDOW_RANGE = [MinValueValidator(60), MaxValueValidator(7 * DAY_S)]
PATIENCE_RANGE = [MaxValueValidator(7 * DAY_S)]


class Threshold(ProjectOwned):
    """A limit on a metric of a model, an alias, a version or all that an integration serves."""

    class Aggregation(models.TextChoices):
        """How values become one."""

        LATEST = "latest", "Latest report"
        AVG = "avg", "Average"
        MIN = "min", "Minimum"
        MAX = "max", "Maximum"
        SUM = "sum", "Sum"
        COUNT = "count", "Count"
        P50 = "p50", "Median"
        P95 = "p95", "95th percentile"
        P99 = "p99", "99th percentile"

    class Comparator(models.TextChoices):
        """True means that something is wrong."""

        LT = "lt", "below"
        LTE = "lte", "at or below"
        GT = "gt", "above"
        GTE = "gte", "at or above"
        EQ = "eq", "equal to"
        NE = "ne", "other than"
        OUTSIDE = "outside_range", "outside"
        INSIDE = "inside_range", "inside"

    class NoData(models.TextChoices):
        """What missing data means; it never resolves what fires."""

        KEEP = "keep", "Nothing changes"
        ALERT = "alert", "An alert of its own"
        OK = "ok", "All is well"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=100, blank=True)
    model = models.ForeignKey(
        RegisteredModel, models.CASCADE, null=True, blank=True, related_name="thresholds"
    )
    alias = models.CharField(
        max_length=100, blank=True, help_text="Of the model: the version that it points at."
    )
    version = models.ForeignKey(
        ModelVersion, models.CASCADE, null=True, blank=True, related_name="thresholds"
    )
    integration = models.ForeignKey(
        Integration, models.CASCADE, null=True, blank=True, related_name="+"
    )
    metric = models.CharField(
        max_length=100, validators=[RegexValidator(rf"\A{METRIC_NAME}\Z", "No name of a metric.")]
    )
    aggregation = models.CharField(max_length=6, choices=Aggregation, blank=True)
    window_s = models.PositiveIntegerField(default=300, validators=WINDOW_RANGE)
    comparator = models.CharField(max_length=13, choices=Comparator, blank=True)
    warning = models.FloatField(null=True, blank=True)
    warning_upper = models.FloatField(null=True, blank=True, help_text="Of a range.")
    critical = models.FloatField(null=True, blank=True)
    critical_upper = models.FloatField(null=True, blank=True, help_text="Of a range.")
    recovery = models.FloatField(
        null=True, blank=True, help_text="Where it is well again; at the limit if empty."
    )
    for_s = models.PositiveIntegerField(default=0, validators=PATIENCE_RANGE)
    keep_firing_for_s = models.PositiveIntegerField(default=0, validators=PATIENCE_RANGE)
    renotify_s = models.PositiveIntegerField(default=0, validators=PATIENCE_RANGE)
    min_samples = models.PositiveIntegerField(
        default=1, validators=[MinValueValidator(1), MaxValueValidator(1_000_000)]
    )
    no_data_policy = models.CharField(max_length=5, choices=NoData, default=NoData.KEEP)
    contradicts_direction = models.BooleanField(
        default=False, help_text="Meant so: what is better for the metric breaches it."
    )
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=(
                    Q(model__isnull=False, version=None, integration=None)
                    | Q(model=None, version__isnull=False, integration=None, alias="")
                    | Q(model=None, version=None, integration__isnull=False, alias="")
                ),
                name="a_threshold_watches_one_thing",
            )
        ]

    def __str__(self) -> str:
        return self.name or f"{self.metric} of {self.target}"

    @property
    def target(self) -> str:
        """What is watched, in words."""
        if self.version is not None:
            return str(self.version)
        if self.integration is not None:
            return f"integration {self.integration.name}"
        return f"{self.model}@{self.alias}" if self.alias else str(self.model)


OPEN_STATES = ("PENDING", "FIRING", "RECOVERING", "NO_DATA", "ERROR")


class Alert(ProjectOwned):
    """What became of one breach of one threshold."""

    class State(models.TextChoices):
        """See `registry.monitoring.alerting.states`."""

        PENDING = "PENDING", "Pending"
        FIRING = "FIRING", "Firing"
        RECOVERING = "RECOVERING", "Recovering"
        RESOLVED = "RESOLVED", "Resolved"
        NO_DATA = "NO_DATA", "No data"
        ERROR = "ERROR", "Error"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    threshold = models.ForeignKey(Threshold, models.CASCADE, related_name="alerts")
    fingerprint = models.CharField(max_length=60, help_text="What it is about.")
    version = models.ForeignKey(
        ModelVersion, models.CASCADE, null=True, blank=True, related_name="alerts"
    )
    state = models.CharField(max_length=10, choices=State)
    severity = models.CharField(max_length=10, blank=True)
    value = models.FloatField(null=True)
    limit = models.FloatField(null=True)
    message = models.CharField(max_length=500, blank=True)
    started_at = models.DateTimeField()
    state_since = models.DateTimeField()
    fired_at = models.DateTimeField(null=True)
    resolved_at = models.DateTimeField(null=True)
    evaluated_at = models.DateTimeField()
    notified_at = models.DateTimeField(null=True)
    is_silenced = models.BooleanField(default=False)
    acknowledged_at = models.DateTimeField(null=True)
    acknowledged_by = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering = ["-id"]
        default_permissions = ("view", "change")
        constraints = [
            models.UniqueConstraint(
                fields=["threshold", "fingerprint"],
                condition=Q(state__in=OPEN_STATES),
                name="one_open_alert_per_threshold",
            )
        ]
        indexes = [models.Index(fields=["project", "state", "-id"], name="alerts_by_state")]

    def __str__(self) -> str:
        return f"{self.threshold}: {self.get_state_display()}"


class Silence(ProjectOwned):
    """A time in which alerts of a model, a threshold or everything are not told."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    model = models.ForeignKey(
        RegisteredModel, models.CASCADE, null=True, blank=True, related_name="+"
    )
    threshold = models.ForeignKey(
        Threshold, models.CASCADE, null=True, blank=True, related_name="silences"
    )
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    comment = models.CharField(max_length=1000, blank=True)
    created_by = models.CharField(max_length=200, editable=False)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=models.F("starts_at")), name="a_silence_ends_after_it_began"
            )
        ]

    def __str__(self) -> str:
        what: Any = self.threshold or self.model or "everything"
        return f"{what} until {self.ends_at:%Y-%m-%d %H:%M}"
