"""What the catalog endpoints take and give."""

from typing import Any

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from intmod_site.api.fields import (
    ChoiceField,
    FlagField,
    NumberField,
    ObjectField,
    StrictSerializer,
    StringMapField,
    TextField,
    WholeNumberField,
)
from registry.models import MetricSample, ModelAlias, ModelVersion, RegisteredModel
from registry.tasks import MODEL_TYPES, TASKS


class ModelWrite(StrictSerializer):
    """A model to create."""

    name = TextField(max_length=200)
    model_type = ChoiceField(choices=MODEL_TYPES)
    description = TextField(max_length=10_000, required=False, allow_blank=True)
    tags = StringMapField(required=False)


class ModelChange(StrictSerializer):
    """What to change about a model."""

    model_type = ChoiceField(choices=MODEL_TYPES, required=False)
    description = TextField(max_length=10_000, required=False, allow_blank=True)
    tags = StringMapField(required=False)


class ModelAnswer(serializers.ModelSerializer[RegisteredModel]):
    """A model."""

    tags = serializers.DictField(child=serializers.CharField())

    class Meta:
        model = RegisteredModel
        fields = ["id", "name", "model_type", "description", "tags", "created_at", "updated_at"]


class VersionChange(StrictSerializer):
    """What to change about a version."""

    label = TextField(max_length=100, required=False, allow_blank=True)  # type: ignore[assignment]  # DRF means another label
    description = TextField(max_length=10_000, required=False, allow_blank=True)
    integration = TextField(max_length=100, required=False, allow_null=True, help_text="Its name.")
    tasks = serializers.ListField(child=ChoiceField(choices=TASKS), required=False, max_length=20)
    parameters = ObjectField(required=False)
    limits = ObjectField(required=False)
    prices = ObjectField(required=False)
    fallbacks = serializers.ListField(child=ObjectField(), required=False, max_length=10)
    source = TextField(max_length=2000, required=False, allow_blank=True)  # type: ignore[assignment]  # and another source
    tags = StringMapField(required=False)
    is_active = FlagField(required=False)
    body_logging = ChoiceField(choices=ModelVersion.BodyLogging.values, required=False)


class VersionWrite(VersionChange):
    """A version to create."""

    model_id = TextField(max_length=200, required=False)
    provider = TextField(max_length=50)
    provider_model = TextField(max_length=200)


class VersionAnswer(serializers.ModelSerializer[ModelVersion]):
    """A version."""

    model_id = serializers.CharField(source="identifier")
    model_name = serializers.CharField(source="model.name")
    model_type = serializers.CharField(source="model.model_type")
    integration = serializers.CharField(source="integration.name", default=None, allow_null=True)
    tasks = serializers.ListField(child=serializers.CharField())
    parameters = serializers.DictField()
    limits = serializers.DictField(child=serializers.IntegerField())
    prices = serializers.DictField(child=serializers.CharField())
    fallbacks = serializers.ListField(child=serializers.DictField())
    performance_metrics = serializers.DictField(child=serializers.FloatField())
    tags = serializers.DictField(child=serializers.CharField())
    body_logging = serializers.CharField()

    class Meta:
        model = ModelVersion
        fields = [
            "id", "model_id", "model_name", "model_type", "number", "label", "description",
            "provider", "provider_model", "integration", "tasks", "parameters", "limits",
            "prices", "fallbacks",
            "performance_metrics", "source", "tags", "status", "is_active", "body_logging",
            "created_at", "updated_at",
        ]  # fmt: skip


class AliasWrite(StrictSerializer):
    """Where an alias is to point."""

    version = WholeNumberField(min_value=1, max_value=2**31 - 1)
    expected_version = WholeNumberField(required=False, min_value=1, max_value=2**31 - 1)
    reason = TextField(max_length=1000, required=False, allow_blank=True)


class AliasAnswer(serializers.ModelSerializer[ModelAlias]):
    """An alias."""

    version = serializers.IntegerField(source="version.number")
    model_id = serializers.CharField(source="version.identifier")

    class Meta:
        model = ModelAlias
        fields = ["name", "version", "model_id", "updated_at"]


@extend_schema_serializer(many=False)
class AliasList(serializers.Serializer[Any]):
    """A model's aliases."""

    results = AliasAnswer(many=True)


class PerformanceWrite(StrictSerializer):
    """Measured values by metric name."""

    metrics = serializers.DictField(child=NumberField())
    ts = serializers.DateTimeField(required=False, help_text="When; now by default.")


class PerformanceCurrent(serializers.Serializer[Any]):
    """A version's current values."""

    model_id = serializers.CharField()
    performance_metrics = serializers.DictField(child=serializers.FloatField())


class SampleAnswer(serializers.ModelSerializer[MetricSample]):
    """One measured value."""

    class Meta:
        model = MetricSample
        fields = ["metric", "value", "ts", "source"]


class PerformanceAnswer(PerformanceCurrent):
    """A version's current values, and a page of those before."""

    history = SampleAnswer(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
