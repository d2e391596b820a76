"""What the endpoints of webhooks take and give."""

from typing import Any

import orjson
from django.utils import timezone
from rest_framework import serializers

from authz.secrets.fields import UNREADABLE
from authz.secrets.keyring import SecretUnreadable
from integrations.models import (
    DeliveryAttempt,
    EventType,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookMessage,
)
from integrations.webhooks.replaced_secrets import LONGEST_OVERLAP_S, OVERLAP_S, counting_secrets
from integrations.webhooks.replays import Scope
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

KEY_HELP = "whsec_ and base64 of 24 to 64 bytes; made here where it is left out."


class PublishWrite(StrictSerializer):
    """An event to tell."""

    event_type = TextField(max_length=100)
    data = ObjectField(help_text="As the catalogue's schema of the type has it.")  # type: ignore[assignment]  # a field of that name
    id = serializers.RegexField(
        r"\A[A-Za-z0-9_-]{1,64}\Z",
        required=False,
        help_text="The publisher's own id: the same id with the same content is told once.",
    )


class PublishAnswer(serializers.Serializer[Any]):
    """What became of it."""

    message_id = serializers.CharField()
    deliveries = serializers.IntegerField(help_text="Endpoints that are to have it.")


class EndpointWrite(StrictSerializer):
    """An endpoint's fields."""

    url = TextField(max_length=2000)
    event_types = serializers.ListField(
        child=TextField(max_length=100), max_length=100, help_text="Names, or patterns: order.*, *."
    )
    description = TextField(max_length=200, required=False, allow_blank=True)
    headers = StringMapField(required=False)
    deliveries_per_minute = WholeNumberField(required=False, allow_null=True, min_value=1)
    is_ordered = FlagField(required=False)
    timeout_s = NumberField(required=False)
    disable_after_days = WholeNumberField(required=False, allow_null=True, min_value=1)
    disable_after_failures = WholeNumberField(required=False, allow_null=True, min_value=1)


class EndpointCreate(EndpointWrite):
    """An endpoint to register."""

    secret = TextField(max_length=200, required=False, help_text=KEY_HELP)


class EndpointAnswer(serializers.ModelSerializer[WebhookEndpoint]):
    """An endpoint; of its secret only the end and a fingerprint."""

    secret = serializers.SerializerMethodField()
    secret_fingerprint = serializers.SerializerMethodField()
    old_secrets = serializers.SerializerMethodField()
    event_types = serializers.ListField(child=serializers.CharField())
    headers = serializers.DictField(child=serializers.CharField())

    class Meta:
        model = WebhookEndpoint
        fields = [
            "id", "description", "url", "event_types", "secret", "secret_fingerprint",
            "old_secrets", "headers", "deliveries_per_minute", "is_ordered", "timeout_s",
            "disable_after_days", "disable_after_failures", "state", "disabled_reason",
            "disabled_at", "failing_since", "consecutive_failures", "created_at", "updated_at",
        ]  # fmt: skip

    def get_secret(self, instance: WebhookEndpoint) -> str:
        """Give a hint of the secret."""
        stored: Any = instance.secret
        return stored.shown()[0] if stored else UNREADABLE

    def get_secret_fingerprint(self, instance: WebhookEndpoint) -> str:
        """Give a keyed hash of the secret."""
        stored: Any = instance.secret
        return stored.shown()[1] if stored else UNREADABLE

    def get_old_secrets(self, instance: WebhookEndpoint) -> int | None:
        """Give how many replaced secrets still sign along; null where that cannot be read."""
        try:
            return len(counting_secrets(instance, timezone.now()))
        except SecretUnreadable:
            return None


class EndpointWithSecret(EndpointAnswer):
    """An endpoint, with its secret: shown once."""

    def get_secret(self, instance: WebhookEndpoint) -> str:
        """Give the secret."""
        stored: Any = instance.secret
        return stored.reveal()


class RotateWrite(StrictSerializer):
    """How to exchange a secret."""

    secret = TextField(max_length=200, required=False, help_text=KEY_HELP)
    overlap_s = WholeNumberField(
        required=False,
        min_value=0,
        max_value=LONGEST_OVERLAP_S,
        default=OVERLAP_S,
        help_text="How long the present one signs along; 0 revokes it and all before it at once.",
    )


class RecoverWrite(StrictSerializer):
    """What to send again."""

    since = serializers.DateTimeField(help_text="Published from here on.")
    until = serializers.DateTimeField(required=False, help_text="Published before; now if omitted.")
    scope = ChoiceField(choices=[scope.value for scope in Scope], required=False, default="failed")


class RecoverAnswer(serializers.Serializer[Any]):
    """How many deliveries are made again."""

    deliveries = serializers.IntegerField()


class EventTypeChange(StrictSerializer):
    """What may change of an event type."""

    description = TextField(max_length=500, required=False, allow_blank=True)
    schema = ObjectField(required=False, allow_null=True, help_text="JSON Schema 2020-12 of data.")
    is_archived = FlagField(required=False)


class EventTypeWrite(EventTypeChange):
    """An event type of the project."""

    name = TextField(max_length=100)


class EventTypeAnswer(serializers.ModelSerializer[EventType]):
    """An event type."""

    schema = serializers.DictField(allow_null=True)
    is_built_in = serializers.SerializerMethodField()

    class Meta:
        model = EventType
        fields = ["id", "name", "description", "schema", "is_archived", "is_built_in", "created_at"]

    def get_is_built_in(self, instance: EventType) -> bool:
        """Whether it is the product's own."""
        return instance.project_id is None


class MessageAnswer(serializers.ModelSerializer[WebhookMessage]):
    """A message."""

    class Meta:
        model = WebhookMessage
        fields = ["message_id", "event_type", "published_by", "request_id", "created_at"]


class MessageWithBody(MessageAnswer):
    """A message with what is sent."""

    body = serializers.SerializerMethodField()

    class Meta(MessageAnswer.Meta):
        fields = [*MessageAnswer.Meta.fields, "body"]

    def get_body(self, instance: WebhookMessage) -> dict[str, Any]:
        """Give the body as JSON."""
        return orjson.loads(instance.body)


class AttemptAnswer(serializers.ModelSerializer[DeliveryAttempt]):
    """One request."""

    class Meta:
        model = DeliveryAttempt
        fields = [
            "number", "started_at", "destination", "is_error", "status", "latency_ms",
            "error_code", "error", "response_excerpt",
        ]  # fmt: skip


class DeliveryAnswer(serializers.ModelSerializer[WebhookDelivery]):
    """How far a message came with one endpoint."""

    message_id = serializers.CharField(source="message.message_id")
    event_type = serializers.CharField(source="message.event_type")
    endpoint_id = serializers.UUIDField()

    class Meta:
        model = WebhookDelivery
        fields = [
            "id", "message_id", "event_type", "endpoint_id", "state", "attempt_count",
            "replay_count", "next_attempt_at", "last_status", "last_error_code", "created_at",
            "ended_at",
        ]  # fmt: skip


class DeliveryWithAttempts(DeliveryAnswer):
    """The same, with its latest attempts."""

    attempts = AttemptAnswer(many=True, source="latest_attempts")

    class Meta(DeliveryAnswer.Meta):
        fields = [*DeliveryAnswer.Meta.fields, "attempts"]
