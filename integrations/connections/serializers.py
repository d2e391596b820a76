"""What the integration endpoints take and give."""

from typing import Any

from rest_framework import serializers

from integrations.models import Integration
from intmod_site.api.fields import (
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
    is_active = FlagField(required=False)


class IntegrationAnswer(serializers.ModelSerializer[Integration]):
    """An integration; of its secret only whether there is one, and its last four characters."""

    api_key = serializers.SerializerMethodField()
    api_key_fingerprint = serializers.SerializerMethodField()
    headers = serializers.DictField(child=serializers.CharField())

    class Meta:
        model = Integration
        fields = [
            "id", "name", "description", "base_url", "api_key", "api_key_fingerprint", "headers",
            "connect_timeout_s", "first_byte_timeout_s", "idle_timeout_s", "timeout_s",
            "max_retries", "retry_delay_s", "is_active", "created_at", "updated_at",
        ]  # fmt: skip

    def get_api_key(self, instance: Integration) -> str | None:
        """Give a hint of the secret."""
        secret: Any = instance.api_key
        return secret.shown()[0] if secret else None

    def get_api_key_fingerprint(self, instance: Integration) -> str | None:
        """Give a keyed hash of the secret, the same for equal secrets."""
        secret: Any = instance.api_key
        return secret.shown()[1] if secret else None
