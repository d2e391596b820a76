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
from registry.models import (
    AliasChange,
    ApprovalRequest,
    MetricSample,
    ModelAlias,
    ModelVersion,
    ProtectedAlias,
    RegisteredModel,
)
from registry.models.catalog import MAX_CACHE_TTL_S
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
    digest = TextField(max_length=200, required=False, allow_blank=True)
    input_schema = ObjectField(required=False, help_text="JSON Schema 2020-12.")
    output_schema = ObjectField(required=False, help_text="JSON Schema 2020-12.")
    tags = StringMapField(required=False)
    status = ChoiceField(
        choices=ModelVersion.Status.values,
        required=False,
        help_text="Final once it is not pending any more.",
    )
    is_active = FlagField(required=False)
    cache_ttl_s = WholeNumberField(
        required=False, allow_null=True, min_value=0, max_value=MAX_CACHE_TTL_S
    )
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
    input_schema = serializers.DictField()
    output_schema = serializers.DictField()
    tags = serializers.DictField(child=serializers.CharField())
    aliases = serializers.SerializerMethodField()
    status = serializers.CharField()
    body_logging = serializers.CharField()

    class Meta:
        model = ModelVersion
        fields = [
            "id", "model_id", "model_name", "model_type", "number", "label", "description",
            "provider", "provider_model", "integration", "tasks", "parameters", "limits",
            "prices", "fallbacks",
            "performance_metrics", "source", "digest", "input_schema", "output_schema", "tags",
            "aliases", "status", "is_active", "cache_ttl_s", "body_logging", "created_by",
            "created_at", "updated_at",
        ]  # fmt: skip

    def get_aliases(self, version: ModelVersion) -> list[str]:
        """Give the names that point at it, from rows that lists fetch for all versions at once."""
        return sorted(alias.name for alias in version.aliases.all())


class CardAnswer(serializers.Serializer[Any]):
    """A model card, in Markdown."""

    content = serializers.CharField()


class AliasWrite(StrictSerializer):
    """Where an alias is to point."""

    version = WholeNumberField(min_value=1, max_value=2**31 - 1)
    expected_version = WholeNumberField(
        required=False,
        min_value=0,
        max_value=2**31 - 1,
        help_text="Where it must point now; 0: there must be none yet.",
    )
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


class AliasRollback(StrictSerializer):
    """Going back to the version before."""

    expected_version = WholeNumberField(
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        help_text="Where it must point now.",
    )
    reason = TextField(max_length=1000, required=False, allow_blank=True)


class AliasChangeAnswer(serializers.ModelSerializer[AliasChange]):
    """One move of an alias: in effect from `valid_from` until before `valid_until`."""

    version = serializers.IntegerField(source="version_number", allow_null=True)
    previous_version = serializers.IntegerField(source="previous_number", allow_null=True)
    valid_until = serializers.DateTimeField(allow_null=True)
    actor = serializers.CharField(source="actor_label")

    class Meta:
        model = AliasChange
        fields = [
            "sequence", "version", "previous_version", "restores", "valid_from", "valid_until",
            "actor", "reason",
        ]  # fmt: skip


class ProtectionChange(StrictSerializer):
    """What a protected alias asks for."""

    movers = serializers.ListField(child=TextField(max_length=50), required=False, max_length=20)
    requires_approval = FlagField(required=False)
    condition = TextField(max_length=4000, required=False, allow_blank=True)
    gates = serializers.ListField(child=TextField(max_length=100), required=False, max_length=20)


class ProtectionWrite(ProtectionChange):
    """An alias to protect."""

    name = TextField(max_length=100)


class ProtectionAnswer(serializers.ModelSerializer[ProtectedAlias]):
    """A protected alias."""

    movers = serializers.ListField(child=serializers.CharField())
    gates = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = ProtectedAlias
        fields = ["name", "movers", "requires_approval", "condition", "gates", "updated_at"]


class ApprovalWrite(StrictSerializer):
    """What is asked."""

    alias = TextField(max_length=100)
    comment = TextField(max_length=1000, required=False, allow_blank=True)


class ApprovalReview(StrictSerializer):
    """Why it is answered so."""

    comment = TextField(max_length=1000, required=False, allow_blank=True)


class ApprovalAnswer(serializers.ModelSerializer[ApprovalRequest]):
    """A request for approval, and its answer once there is one."""

    model_name = serializers.CharField(source="version.model.name")
    version = serializers.IntegerField(source="version.number")
    state = serializers.CharField()
    requested_by = serializers.CharField(source="requester_label")
    reviewed_by = serializers.CharField(source="reviewer_label")

    class Meta:
        model = ApprovalRequest
        fields = [
            "id", "model_name", "version", "alias", "state", "comment", "requested_by",
            "reviewed_by", "review_comment", "created_at", "reviewed_at",
        ]  # fmt: skip


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
