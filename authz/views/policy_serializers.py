"""What the policy endpoints take and give."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from authz.models import PolicyAttachment, SecurityPolicy, SecurityPolicyVersion
from authz.policies.fields import RULE_KEYS, TYPES
from authz.policies.surroundings import DAYS, METHODS
from intmod_site.api.fields import ObjectField, StrictSerializer, TextField

_TEXTS = {"type": "array", "items": {"type": "string"}}
RULES_SCHEMA: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "description": "All of them must hold; a rule that is left out allows everything.",
    "properties": {
        "required_fields": {
            **_TEXTS,
            "description": "Names of fields of the data, or JSON Pointers into it.",
        },
        "validation_rules": {
            "type": "object",
            "description": "From a field to its rule; it counts where the field is there.",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    key: {"description": f"One of {', '.join(TYPES)}"} if key == "type" else {}
                    for key in RULE_KEYS
                },
            },
        },
        "schema": {"type": "object", "description": "A JSON Schema 2020-12 of the whole data."},
        "methods": {"type": "array", "items": {"enum": list(METHODS)}},
        "paths": {**_TEXTS, "description": "`*` is any one segment, `**` all that follow."},
        "hours": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "timezone": {"type": "string", "default": "UTC"},
                "windows": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {
                            "days": {"type": "array", "items": {"enum": list(DAYS)}},
                            "from": {"type": "string", "examples": ["08:00"]},
                            "to": {"type": "string", "examples": ["18:30"]},
                        },
                    },
                },
            },
        },
        "source_cidrs": _TEXTS,
        "max_response_bytes": {"type": "integer", "minimum": 1},
    },
}


@extend_schema_field(RULES_SCHEMA)
class RulesField(ObjectField):
    """The rules of a policy."""


class PolicyChange(StrictSerializer):
    """What to change about a policy."""

    name = TextField(max_length=63, required=False)
    description = TextField(max_length=2000, required=False, allow_blank=True)
    rules = RulesField(required=False)


class PolicyWrite(PolicyChange):
    """A policy to create."""

    name = TextField(max_length=63)
    rules = RulesField()


class PolicyAnswer(serializers.ModelSerializer[SecurityPolicy]):
    """A policy."""

    rules = RulesField()

    class Meta:
        model = SecurityPolicy
        fields = ["id", "name", "description", "version", "rules", "created_at", "updated_at"]


class PolicyVersionAnswer(serializers.ModelSerializer[SecurityPolicyVersion]):
    """The rules that a policy had."""

    rules = RulesField()

    class Meta:
        model = SecurityPolicyVersion
        fields = ["number", "rules", "created_at"]


class AttachmentWrite(StrictSerializer):
    """What to attach a policy to."""

    kind = TextField(max_length=30, help_text="integration or model_version, for example.")
    target = TextField(max_length=300, help_text="Its name, as calls name it.")


class AttachmentAnswer(serializers.ModelSerializer[PolicyAttachment]):
    """Something that a policy is enforced on."""

    kind = serializers.CharField(source="target_kind")
    target = serializers.CharField(source="target_label")

    class Meta:
        model = PolicyAttachment
        fields = ["id", "kind", "target_id", "target", "created_at"]


class EvaluateRequest(StrictSerializer):
    """Something that might happen; what is not told is not judged."""

    data = serializers.JSONField(allow_null=True, help_text="The body.")  # type: ignore[assignment]
    method = TextField(max_length=20, required=False)
    path = TextField(max_length=2000, required=False)
    source = serializers.IPAddressField(required=False, help_text="Address that it comes from.")  # type: ignore[assignment]  # DRF means another source
    at = serializers.DateTimeField(required=False, help_text="When; now by default.")


class ReasonAnswer(serializers.Serializer[Any]):
    """Why something would be refused."""

    pointer = serializers.CharField(help_text="JSON Pointer into the request of this endpoint.")
    rule = serializers.CharField(help_text="JSON Pointer into the policy's rules.")
    message = serializers.CharField()


class EvaluateAnswer(serializers.Serializer[Any]):
    """What the policy decides."""

    allowed = serializers.BooleanField()
    reasons = ReasonAnswer(many=True)
    policy_version = serializers.IntegerField()
    not_judged = serializers.ListField(
        child=serializers.CharField(), help_text="Parts of the request that were not told."
    )
