"""What the identity endpoints take and give."""

from typing import Any

from rest_framework import serializers

from authz.identity.keys import DEFAULT_GRACE_S, MAX_GRACE_S
from authz.models.credentials import APIKey, Session
from intmod_site.api.fields import StrictSerializer, TextField, WholeNumberField


class TokenRequest(StrictSerializer):
    """A login."""

    username = TextField(max_length=150)
    password = TextField(max_length=1024, trim_whitespace=False)
    project = TextField(max_length=63, required=False)
    scopes = serializers.ListField(child=TextField(max_length=150), required=False, max_length=200)
    expires_in = WholeNumberField(required=False, min_value=1, help_text="Seconds.")


class TokenAnswer(serializers.Serializer[Any]):
    """Tokens, and what they may do."""

    access = serializers.CharField()
    refresh = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds that the access token lives.")
    project = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())


class RefreshRequest(StrictSerializer):
    """A refresh token to exchange."""

    refresh = TextField(max_length=8192)


class OneToken(StrictSerializer):
    """An access or refresh token."""

    token = TextField(max_length=16_384)


class RevokeAnswer(serializers.Serializer[Any]):
    """Whether a session ended."""

    revoked = serializers.BooleanField()


class VerifyAnswer(serializers.Serializer[Any]):
    """Whether a token counts, and what it claims if so."""

    active = serializers.BooleanField()
    claims = serializers.DictField(allow_null=True)


class MeAnswer(serializers.Serializer[Any]):
    """Who the caller is."""

    user_id = serializers.UUIDField()
    username = serializers.CharField()
    kind = serializers.ChoiceField(choices=["human", "service"])
    project = serializers.CharField()
    role = serializers.CharField()
    credential = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())


class PermissionQuestion(StrictSerializer):
    """A user and a permission."""

    user_id = serializers.UUIDField()
    permission = TextField(max_length=200)


class PermissionAnswer(serializers.Serializer[Any]):
    """Whether the user holds it."""

    allowed = serializers.BooleanField()


class PermissionGrant(StrictSerializer):
    """A permission to grant or take back."""

    permission = TextField(max_length=200)


class PermissionList(serializers.Serializer[Any]):
    """What a member holds."""

    permissions = serializers.ListField(child=serializers.CharField())


class APIKeyWrite(StrictSerializer):
    """A key to issue, or what to change about one."""

    name = TextField(max_length=100)
    scopes = serializers.ListField(child=TextField(max_length=150), required=False, max_length=200)
    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    allowed_cidrs = serializers.ListField(
        child=TextField(max_length=50),
        required=False,
        max_length=50,
        help_text="Networks that it counts from; empty for everywhere.",
    )


class APIKeyRotate(StrictSerializer):
    """How to rotate a key."""

    grace_s = WholeNumberField(
        required=False,
        min_value=0,
        max_value=MAX_GRACE_S,
        default=DEFAULT_GRACE_S,
        help_text="Seconds that the text before still counts.",
    )


class APIKeyAnswer(serializers.ModelSerializer[APIKey]):
    """A key without its secret."""

    username = serializers.CharField(source="user.username")
    allowed_cidrs = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = APIKey
        fields = [
            "id",
            "name",
            "public_id",
            "username",
            "scopes",
            "allowed_cidrs",
            "expires_at",
            "previous_until",
            "revoked_at",
            "last_used_at",
            "created_at",
        ]


class APIKeyCreated(APIKeyAnswer):
    """A key with its text, shown this once."""

    key = serializers.SerializerMethodField()

    class Meta(APIKeyAnswer.Meta):
        fields = [*APIKeyAnswer.Meta.fields, "key"]

    def get_key(self, instance: APIKey) -> str:
        """Give the text that the view was handed by the service."""
        return str(self.context["key"])


class SessionAnswer(serializers.ModelSerializer[Session]):
    """A session; its tokens are told to nobody but who logged in."""

    username = serializers.CharField(source="user.username")

    class Meta:
        model = Session
        fields = [
            "id",
            "username",
            "scopes",
            "address",
            "created_at",
            "refreshed_at",
            "expires_at",
            "revoked_at",
            "revoked_reason",
        ]
