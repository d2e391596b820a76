"""What the endpoints of calls take and give."""

from typing import Any

from rest_framework import serializers

from integrations.connections.external_call import METHODS
from integrations.connections.status import Health
from integrations.http.breaker import State
from integrations.models import CallRecord
from intmod_site.api.fields import ChoiceField, StrictSerializer, StringMapField, TextField


class AnyJSONField(serializers.JSONField):
    """Any JSON value; the parser has checked it already."""


class CallWrite(StrictSerializer):
    """What to ask of an external system."""

    method = ChoiceField(choices=METHODS)
    endpoint = TextField(
        max_length=2000, allow_blank=True, trim_whitespace=False,
        help_text="Path and query below the base URL.",
    )  # fmt: skip
    data = AnyJSONField(required=False, allow_null=True, help_text="Sent as JSON.")  # type: ignore[assignment]  # a field of that name
    headers = StringMapField(required=False)


class NamedCallWrite(CallWrite):
    """The same, with the integration in the body."""

    integration = TextField(max_length=100)


class CallAnswer(serializers.Serializer[Any]):
    """An external system's answer, whatever its status."""

    status = serializers.IntegerField()
    headers = serializers.DictField(child=serializers.CharField())
    body = AnyJSONField()
    body_encoding = serializers.ChoiceField(choices=["json", "text", "base64", "none"])
    attempts = serializers.IntegerField()
    duration_ms = serializers.FloatField()


class TestAnswer(serializers.Serializer[Any]):
    """How a test of the connection went."""

    ok = serializers.BooleanField(help_text="Whether it answered below 400.")
    status = serializers.IntegerField(allow_null=True)
    latency_ms = serializers.FloatField()
    error = serializers.CharField(allow_null=True)
    error_code = serializers.CharField(allow_null=True)


class RefusalAnswer(serializers.Serializer[Any]):
    """Why a policy refuses."""

    pointer = serializers.CharField()
    rule = serializers.CharField()
    message = serializers.CharField()
    policy = serializers.CharField()


class ValidateAnswer(serializers.Serializer[Any]):
    """Whether a call would be made."""

    valid = serializers.BooleanField()
    error = serializers.CharField(allow_null=True)
    reasons = RefusalAnswer(many=True)
    policies = serializers.ListField(child=serializers.CharField())


class LatencyAnswer(serializers.Serializer[Any]):
    """Of an attempt; null without any."""

    p50 = serializers.FloatField(source="p50_ms", allow_null=True)
    p95 = serializers.FloatField(source="p95_ms", allow_null=True)


class BreakerAnswer(serializers.Serializer[Any]):
    """Whether calls may pass."""

    state = serializers.ChoiceField(choices=[state.value for state in State])
    retry_after_s = serializers.FloatField(allow_null=True)


class LastErrorAnswer(serializers.Serializer[Any]):
    """The latest error of the window."""

    at = serializers.DateTimeField()
    code = serializers.CharField()
    message = serializers.CharField()
    status = serializers.IntegerField(allow_null=True)


class StatusAnswer(serializers.Serializer[Any]):
    """How an integration does."""

    name = serializers.CharField()
    health = serializers.ChoiceField(choices=[health.value for health in Health])
    request_count = serializers.IntegerField()
    error_count = serializers.IntegerField()
    error_rate = serializers.FloatField()
    latency_ms = LatencyAnswer(source="*")
    breaker = BreakerAnswer()
    last_error = LastErrorAnswer(allow_null=True)


class CallRecordAnswer(serializers.ModelSerializer[CallRecord]):
    """One attempt."""

    class Meta:
        model = CallRecord
        fields = [
            "created_at", "integration_name", "method", "endpoint", "attempt", "status", "is_error",
            "error_code", "error", "latency_ms", "response_bytes", "actor_label", "credential",
            "request_id", "request_text", "response_text",
        ]  # fmt: skip
