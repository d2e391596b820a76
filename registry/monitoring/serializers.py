"""What the endpoints of monitoring take and give."""

from typing import Any

from rest_framework import serializers

from intmod_site.api.fields import (
    ChoiceField,
    FlagField,
    NumberField,
    ObjectField,
    StrictSerializer,
    TextField,
    WholeNumberField,
)
from registry.models import (
    Alert,
    MetricDefinition,
    OptimizationRule,
    Recommendation,
    Silence,
    Threshold,
)
from registry.tasks import METRIC_KINDS

DAYS_7_S = 7 * 86_400


class PointAnswer(serializers.Serializer[Any]):
    """One step; no value where nothing was measured."""

    ts = serializers.DateTimeField()
    count = serializers.IntegerField()
    value = serializers.FloatField(allow_null=True)


class SeriesAnswer(serializers.Serializer[Any]):
    """A metric over time."""

    model = serializers.CharField()
    metric = serializers.CharField()
    aggregation = serializers.CharField()
    step_s = serializers.IntegerField()
    points = PointAnswer(many=True)


class DefinitionChange(StrictSerializer):
    """What to change about a metric's definition."""

    unit = TextField(max_length=20, required=False, allow_blank=True)
    direction = ChoiceField(choices=MetricDefinition.Direction.values, required=False)
    kind = ChoiceField(choices=METRIC_KINDS, required=False)
    description = TextField(max_length=1000, required=False, allow_blank=True)


class DefinitionWrite(DefinitionChange):
    """A metric to define."""

    key = TextField(max_length=100)
    direction = ChoiceField(choices=MetricDefinition.Direction.values)


class DefinitionAnswer(serializers.ModelSerializer[MetricDefinition]):
    """A metric's definition."""

    direction = serializers.CharField()
    kind = serializers.CharField()

    class Meta:
        model = MetricDefinition
        fields = ["key", "unit", "direction", "kind", "description"]


def _seconds(most: int = DAYS_7_S) -> Any:
    return WholeNumberField(required=False, min_value=0, max_value=most)


def _limit() -> Any:
    return NumberField(required=False, allow_null=True)


class ThresholdChange(StrictSerializer):
    """What to change about a threshold."""

    name = TextField(max_length=100, required=False, allow_blank=True)
    aggregation = ChoiceField(choices=Threshold.Aggregation.values, required=False)
    window_s = _seconds()
    comparator = ChoiceField(choices=Threshold.Comparator.values, required=False)
    warning = _limit()
    warning_upper = _limit()
    critical = _limit()
    critical_upper = _limit()
    recovery = _limit()
    for_s = _seconds()
    keep_firing_for_s = _seconds()
    renotify_s = _seconds()
    min_samples = WholeNumberField(required=False, min_value=1, max_value=1_000_000)
    no_data_policy = ChoiceField(choices=Threshold.NoData.values, required=False)
    contradicts_direction = FlagField(required=False)
    is_active = FlagField(required=False)


class ThresholdWrite(ThresholdChange):
    """A threshold on one thing: a model, perhaps by an alias, a version or an integration."""

    metric = TextField(max_length=100)
    model = TextField(max_length=200, required=False, help_text="A model's name.")
    alias = TextField(max_length=100, required=False)
    model_id = TextField(max_length=200, required=False, help_text="A version's.")
    integration = TextField(max_length=100, required=False, help_text="Its name.")


class ThresholdAnswer(serializers.ModelSerializer[Threshold]):
    """A threshold."""

    model = serializers.CharField(source="model.name", default=None, allow_null=True)
    model_id = serializers.CharField(source="version.identifier", default=None, allow_null=True)
    integration = serializers.CharField(source="integration.name", default=None, allow_null=True)
    aggregation = serializers.CharField()
    comparator = serializers.CharField()
    no_data_policy = serializers.CharField()

    class Meta:
        model = Threshold
        fields = [
            "id", "name", "model", "alias", "model_id", "integration", "metric", "aggregation",
            "window_s", "comparator", "warning", "warning_upper", "critical", "critical_upper",
            "recovery", "for_s", "keep_firing_for_s", "renotify_s", "min_samples",
            "no_data_policy", "contradicts_direction", "is_active", "created_at", "updated_at",
        ]  # fmt: skip


class AlertAnswer(serializers.ModelSerializer[Alert]):
    """An alert."""

    threshold_id = serializers.UUIDField()
    target = serializers.CharField(source="threshold.target")
    metric = serializers.CharField(source="threshold.metric")
    model_id = serializers.CharField(source="version.identifier", default=None, allow_null=True)
    state = serializers.CharField()

    class Meta:
        model = Alert
        fields = [
            "id", "threshold_id", "target", "metric", "model_id", "state", "severity", "value",
            "limit", "message", "started_at", "state_since", "fired_at", "resolved_at",
            "evaluated_at", "notified_at", "is_silenced", "acknowledged_at", "acknowledged_by",
        ]  # fmt: skip


class SilenceWrite(StrictSerializer):
    """A silence; of all alerts if neither a model nor a threshold is named."""

    model = TextField(max_length=200, required=False, help_text="A model's name.")
    threshold_id = serializers.UUIDField(required=False)
    starts_at = serializers.DateTimeField(required=False)
    ends_at = serializers.DateTimeField()
    comment = TextField(max_length=1000, required=False, allow_blank=True)


class SilenceAnswer(serializers.ModelSerializer[Silence]):
    """A silence."""

    model = serializers.CharField(source="model.name", default=None, allow_null=True)
    threshold_id = serializers.UUIDField(allow_null=True)

    class Meta:
        model = Silence
        fields = ["id", "model", "threshold_id", "starts_at", "ends_at", "comment", "created_by"]


class RuleChange(StrictSerializer):
    """What to change about a rule."""

    condition = TextField(max_length=4000, required=False, allow_blank=True)
    finder = TextField(max_length=100, required=False, allow_blank=True)
    action = ChoiceField(choices=OptimizationRule.Action.values, required=False)
    parameters = ObjectField(required=False)
    expires_after_days = WholeNumberField(required=False, min_value=1, max_value=365)
    is_active = FlagField(required=False)


class RuleWrite(RuleChange):
    """A rule to add."""

    name = TextField(max_length=100)
    action = ChoiceField(choices=OptimizationRule.Action.values)


class RuleAnswer(serializers.ModelSerializer[OptimizationRule]):
    """A rule."""

    action = serializers.CharField()
    parameters = serializers.DictField()

    class Meta:
        model = OptimizationRule
        fields = [
            "id", "name", "condition", "finder", "action", "parameters", "expires_after_days",
            "is_active", "last_error", "created_at",
        ]  # fmt: skip


class RecommendationAnswer(serializers.ModelSerializer[Recommendation]):
    """A recommendation."""

    rule = serializers.CharField(source="rule.name")
    model_id = serializers.CharField(source="version.identifier")
    action = serializers.CharField()
    parameters = serializers.DictField()
    evidence = serializers.DictField()
    expected_change = serializers.DictField(allow_null=True)
    state = serializers.CharField()

    class Meta:
        model = Recommendation
        fields = [
            "id", "rule", "model_id", "action", "parameters", "text", "evidence",
            "expected_change", "state", "created_at", "expires_at", "decided_at", "decided_by",
        ]  # fmt: skip


class ViolationAnswer(serializers.Serializer[Any]):
    """A threshold that is breached."""

    metric = serializers.CharField()
    current = serializers.FloatField()
    threshold = serializers.FloatField()
    comparator = serializers.CharField()
    aggregation = serializers.CharField()
    severity = serializers.CharField()
    threshold_id = serializers.UUIDField()


class CheckAnswer(serializers.Serializer[Any]):
    """How a version does."""

    model_id = serializers.CharField()
    performance_metrics = serializers.DictField(child=serializers.FloatField())
    thresholds = serializers.DictField(child=serializers.FloatField())
    violations = ViolationAnswer(many=True)
    is_performing_well = serializers.BooleanField()


class OptimizeAnswer(serializers.Serializer[Any]):
    """What the rules recommend, in words; those that failed say so."""

    recommendations = serializers.ListField(child=serializers.CharField())
