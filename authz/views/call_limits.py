"""The endpoints of call limits."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.views import ProjectViewSet
from authz.limits import call_limits
from authz.models import APIKey, CallLimit
from intmod_site.api.errors import ValidationFailed
from intmod_site.api.fields import ChoiceField, StrictSerializer, WholeNumberField


class LimitChange(StrictSerializer):
    """What to change about a limit; null allows everything."""

    requests_per_minute = WholeNumberField(required=False, allow_null=True, min_value=1)
    tokens_per_minute = WholeNumberField(required=False, allow_null=True, min_value=1)
    parallel_calls = WholeNumberField(required=False, allow_null=True, min_value=1)
    budget_usd = serializers.DecimalField(
        max_digits=12, decimal_places=6, min_value=0, required=False, allow_null=True
    )
    budget_window = ChoiceField(choices=CallLimit.Window.values, required=False)


class LimitWrite(LimitChange):
    """A limit to set."""

    api_key = serializers.UUIDField(
        required=False, allow_null=True, help_text="Whose calls; all of the project's if omitted."
    )


class LimitAnswer(serializers.ModelSerializer[CallLimit]):
    """A limit."""

    api_key = serializers.UUIDField(source="api_key_id", allow_null=True)
    budget_usd = serializers.DecimalField(max_digits=12, decimal_places=6, allow_null=True)
    budget_window = serializers.CharField()

    class Meta:
        model = CallLimit
        fields = [
            "id", "api_key", "requests_per_minute", "tokens_per_minute", "parallel_calls",
            "budget_usd", "budget_window", "created_at", "updated_at",
        ]  # fmt: skip


class LimitViewSet(ProjectViewSet):
    """What the project and its API keys may call."""

    queryset: QuerySet[CallLimit] = CallLimit.objects.all()
    serializer_class = LimitAnswer
    permissions = {
        "list": "authz.view_calllimit",
        "retrieve": "authz.view_calllimit",
        "create": "authz.add_calllimit",
        "partial_update": "authz.change_calllimit",
        "destroy": "authz.delete_calllimit",
    }

    @extend_schema(request=LimitWrite, responses={201: LimitAnswer})
    def create(self, request: Request) -> Response:
        """Limit the calls of the project, or of one of its keys."""
        fields = self._with_key(self.validated(LimitWrite))
        limit = call_limits.create_call_limit(
            actor=self.principal.actor, project=self.principal.project, **fields
        )
        return Response(LimitAnswer(limit).data, status=201)

    @extend_schema(request=LimitChange, responses=LimitAnswer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change a limit, from the next call on."""
        limit = call_limits.update_call_limit(
            actor=self.principal.actor,
            limit=self.get_object(),
            changes=self.validated(LimitChange),
        )
        return Response(LimitAnswer(limit).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Allow everything again."""
        call_limits.delete_call_limit(actor=self.principal.actor, limit=self.get_object())
        return Response(status=204)

    def _with_key(self, fields: dict[str, Any]) -> dict[str, Any]:
        if fields.get("api_key") is None:
            return fields
        key = APIKey.objects.filter(
            pk=fields["api_key"], project_id=self.principal.project_id
        ).first()
        if key is None:
            raise ValidationFailed.of("api_key", "There is no such key in this project.")
        return fields | {"api_key": key}
