"""What the endpoints of inbound sources take and give."""

from typing import Any

from django.utils import timezone
from rest_framework import serializers

from authz.secrets.fields import UNREADABLE
from authz.secrets.keyring import SecretUnreadable
from authz.views.policy_serializers import ReasonAnswer
from integrations.models import InboundSource, ReceivedEvent
from integrations.webhooks.inbound.receiving import address_of
from integrations.webhooks.inbound.schemes import SCHEMES
from integrations.webhooks.replaced_secrets import LONGEST_OVERLAP_S, OVERLAP_S, counting_secrets
from intmod_site.api.fields import (
    ChoiceField,
    FlagField,
    StrictSerializer,
    StringMapField,
    TextField,
    WholeNumberField,
)

ONCE = "Shown this once."


class SourceChange(StrictSerializer):
    """What to change about a source."""

    name = TextField(max_length=100, required=False)
    description = TextField(max_length=2000, required=False, allow_blank=True)
    scheme = ChoiceField(choices=list(SCHEMES), required=False)
    settings = StringMapField(
        required=False, help_text="What the scheme needs besides: docs/webhooks-in.md."
    )
    tolerance_s = WholeNumberField(required=False, min_value=1, max_value=3600)
    body_limit_bytes = WholeNumberField(required=False, min_value=1, max_value=64 * 1024 * 1024)
    receivers = serializers.ListField(
        child=TextField(max_length=100),
        required=False,
        max_length=20,
        help_text="Names of registered receivers: docs/extending.md.",
    )
    publishes_as = TextField(
        max_length=100,
        required=False,
        allow_blank=True,
        help_text="Event type under which each event is told to webhook endpoints.",
    )
    is_active = FlagField(required=False)


class SourceWrite(SourceChange):
    """A source to register."""

    name = TextField(max_length=100)
    secret = TextField(
        max_length=512,
        required=False,
        help_text="What the sender signs with; left out, one is made. Stored encrypted.",
    )


class RotateRequest(StrictSerializer):
    """Another secret for a source."""

    secret = TextField(max_length=512, required=False, help_text="Left out, one is made.")
    overlap_s = WholeNumberField(
        required=False,
        default=OVERLAP_S,
        min_value=0,
        max_value=LONGEST_OVERLAP_S,
        help_text="How long the present one still counts; 0 revokes all others at once.",
    )


class SourceAnswer(serializers.ModelSerializer[InboundSource]):
    """A source; of its secret only the last four characters and a fingerprint."""

    address = serializers.SerializerMethodField(help_text="Path that the sender posts to.")
    settings = serializers.DictField(child=serializers.CharField())
    receivers = serializers.ListField(child=serializers.CharField())
    secret_hint = serializers.SerializerMethodField()
    secret_fingerprint = serializers.SerializerMethodField()
    replaced_secrets = serializers.SerializerMethodField(
        help_text="How many others still count; null if they do not decrypt."
    )

    class Meta:
        model = InboundSource
        fields = [
            "id", "name", "description", "address", "scheme", "settings", "secret_hint",
            "secret_fingerprint", "replaced_secrets", "tolerance_s", "body_limit_bytes",
            "receivers", "publishes_as", "is_active", "created_at", "updated_at",
        ]  # fmt: skip

    def get_address(self, source: InboundSource) -> str:
        """Give the path below the installation's own address."""
        return address_of(source.pk)

    def get_secret_hint(self, source: InboundSource) -> str:
        """Give its last four characters."""
        return self._shown(source)[0]

    def get_secret_fingerprint(self, source: InboundSource) -> str:
        """Give a keyed hash of it."""
        return self._shown(source)[1]

    def get_replaced_secrets(self, source: InboundSource) -> int | None:
        """Count them."""
        try:
            return len(counting_secrets(source, timezone.now()))
        except SecretUnreadable:
            return None

    @staticmethod
    def _shown(source: InboundSource) -> tuple[str, str]:
        stored: Any = source.secret
        return stored.shown() if stored else (UNREADABLE, UNREADABLE)


class SourceWithSecretAnswer(SourceAnswer):
    """A source and its secret, which is not shown again."""

    secret = serializers.SerializerMethodField(help_text=ONCE)

    class Meta(SourceAnswer.Meta):
        fields = [*SourceAnswer.Meta.fields, "secret"]

    def get_secret(self, source: InboundSource) -> str:
        """Give it."""
        return str(self.context["secret"])


class EventSummary(serializers.ModelSerializer[ReceivedEvent]):
    """An event, without its body."""

    source = serializers.CharField(source="source.name")  # type: ignore[assignment]  # DRF means another source
    policies = serializers.ListField(child=serializers.CharField())
    handled_by = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = ReceivedEvent
        fields = [
            "id", "source", "event_id", "event_type", "received_at", "sent_at", "address",
            "content_type", "user_agent", "request_id", "policies", "state", "attempts", "next_at",
            "handled_by", "handled_at", "message_id", "error",
        ]  # fmt: skip


class EventAnswer(EventSummary):
    """An event as it came."""

    body = serializers.CharField(help_text="The raw body: JSON.")

    class Meta(EventSummary.Meta):
        fields = [*EventSummary.Meta.fields, "body"]


class EventToJudge(StrictSerializer):
    """An event that might come; what is not told is not judged."""

    data = serializers.JSONField(allow_null=True, help_text="The body.")  # type: ignore[assignment]
    address = serializers.IPAddressField(required=False, help_text="Whence.")
    at = serializers.DateTimeField(required=False, help_text="When; now by default.")


class EventVerdict(serializers.Serializer[Any]):
    """What the policies of a source decide."""

    valid = serializers.BooleanField()
    reasons = ReasonAnswer(many=True)
    policies = serializers.ListField(child=serializers.CharField())
    not_judged = serializers.ListField(
        child=serializers.CharField(), help_text="Parts of the request that were not told."
    )
