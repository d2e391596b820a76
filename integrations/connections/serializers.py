"""What the integration endpoints take and give."""

from typing import Any

from rest_framework import serializers

from integrations.connections.auth import SCHEMES
from integrations.models import Integration
from intmod_site.api.fields import (
    ChoiceField,
    FlagField,
    NumberField,
    StrictSerializer,
    StringMapField,
    TextField,
    WholeNumberField,
)


class IntegrationWrite(StrictSerializer):
    """An integration to register, or what to change about one."""

    name = TextField(max_length=100)
    description = TextField(max_length=2000, required=False, allow_blank=True)
    base_url = TextField(max_length=2000)
    api_key = TextField(
        max_length=4096,
        required=False,
        allow_null=True,
        help_text="Stored encrypted, never shown; null removes it.",
    )
    headers = StringMapField(required=False)
    connect_timeout_s = NumberField(required=False)
    first_byte_timeout_s = NumberField(required=False)
    idle_timeout_s = NumberField(required=False)
    timeout_s = NumberField(required=False)
    max_retries = WholeNumberField(required=False, min_value=0)
    retry_delay_s = NumberField(required=False)
    auth_scheme = ChoiceField(choices=list(SCHEMES), required=False)
    auth_settings = StringMapField(
        required=False, help_text="What the scheme needs besides api_key: docs/connections.md."
    )
    retries_unsafe = FlagField(required=False)
    max_redirects = WholeNumberField(required=False, min_value=0)
    requests_per_minute = WholeNumberField(required=False, allow_null=True, min_value=1)
    parallel_calls = WholeNumberField(required=False, allow_null=True, min_value=1)
    response_limit_bytes = WholeNumberField(required=False, min_value=1)
    allowed_networks = serializers.ListField(
        child=TextField(max_length=50), required=False, max_length=50
    )
    test_endpoint = TextField(max_length=2000, required=False)
    logs_bodies = FlagField(required=False)
    is_active = FlagField(required=False)


class IntegrationAnswer(serializers.ModelSerializer[Integration]):
    """An integration; of its secret only whether there is one, and its last four characters."""

    api_key = serializers.SerializerMethodField()
    api_key_fingerprint = serializers.SerializerMethodField()
    headers = serializers.DictField(child=serializers.CharField())
    auth_settings = serializers.DictField(child=serializers.CharField())
    allowed_networks = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = Integration
        fields = [
            "id", "name", "description", "base_url", "api_key", "api_key_fingerprint",
            "auth_scheme", "auth_settings", "headers", "connect_timeout_s",
            "first_byte_timeout_s", "idle_timeout_s", "timeout_s", "max_retries", "retry_delay_s",
            "retries_unsafe", "max_redirects", "requests_per_minute", "parallel_calls",
            "response_limit_bytes", "allowed_networks", "test_endpoint", "logs_bodies",
            "is_active", "created_at", "updated_at",
        ]  # fmt: skip

    def get_api_key(self, instance: Integration) -> str | None:
        """Give a hint of the secret."""
        secret: Any = instance.api_key
        return secret.shown()[0] if secret else None

    def get_api_key_fingerprint(self, instance: Integration) -> str | None:
        """Give a keyed hash of the secret, the same for equal secrets."""
        secret: Any = instance.api_key
        return secret.shown()[1] if secret else None
