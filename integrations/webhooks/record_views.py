"""The routes of the catalogue, of messages and of deliveries."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.views import ProjectViewSet
from integrations.models import EventType, WebhookDelivery, WebhookMessage
from integrations.webhooks import catalogue, serializers
from integrations.webhooks.endpoints import SEES_AUDIT
from integrations.webhooks.names import AUDIT
from integrations.webhooks.replays import replay_delivery
from integrations.webhooks.timeline import with_latest_attempts
from intmod_site.api.fields import NoBody
from intmod_site.api.filters import MomentFilter


class EventTypeViewSet(ProjectViewSet):
    """The project's catalogue, with the product's own types."""

    queryset = EventType.objects.select_related("project")
    serializer_class = serializers.EventTypeAnswer
    keyset = ("name", "id")
    permissions = {
        "list": "integrations.view_eventtype",
        "retrieve": "integrations.view_eventtype",
        "create": "integrations.add_eventtype",
        "partial_update": "integrations.change_eventtype",
        "destroy": "integrations.delete_eventtype",
    }

    def get_queryset(self) -> QuerySet[EventType]:
        """The project's own and the built-in ones."""
        rows: Any = EventType.objects.select_related("project")
        if getattr(self, "swagger_fake_view", False):
            return rows.none()
        return rows.known_in(self.principal.project_id)

    @extend_schema(request=serializers.EventTypeWrite, responses={201: serializers.EventTypeAnswer})
    def create(self, request: Request) -> Response:
        """Put a type into the catalogue."""
        row = catalogue.create_event_type(
            actor=self.principal.actor,
            project=self.principal.project,
            **self.validated(serializers.EventTypeWrite),
        )
        return Response(serializers.EventTypeAnswer(row).data, status=201)

    @extend_schema(request=serializers.EventTypeChange, responses=serializers.EventTypeAnswer)
    def partial_update(self, request: Request, pk: Any) -> Response:
        """Change a type; messages published afterwards must be as it says."""
        row = catalogue.update_event_type(
            actor=self.principal.actor,
            event_type=self.get_object(),
            changes=self.validated(serializers.EventTypeChange),
        )
        return Response(serializers.EventTypeAnswer(row).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: Any) -> Response:
        """Remove a type; what was published stays."""
        catalogue.remove_event_type(actor=self.principal.actor, event_type=self.get_object())
        return Response(status=204)


class MessageFilter(django_filters.FilterSet):
    """By type and time."""

    event_type = django_filters.CharFilter()
    since = MomentFilter(field_name="created_at", lookup_expr="gte")
    until = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = WebhookMessage
        fields: list[Any] = []


class WebhookMessageViewSet(ProjectViewSet):
    """What was published, newest first."""

    queryset = WebhookMessage.objects.all()
    serializer_class = serializers.MessageAnswer
    filterset_class = MessageFilter
    lookup_field = "message_id"
    permissions = {
        "list": "integrations.view_webhookmessage",
        "retrieve": "integrations.view_webhookmessage",
    }

    def get_queryset(self) -> QuerySet[WebhookMessage]:
        """Without what the audit log told, for those who may not read the log."""
        rows = super().get_queryset()
        schema = getattr(self, "swagger_fake_view", False)
        if schema or self.principal.has(SEES_AUDIT):
            return rows
        return rows.exclude(event_type__startswith=AUDIT)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give a page of messages."""
        return self.page(self.get_queryset().defer("body"))

    @extend_schema(responses=serializers.MessageWithBody)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give a message with its body."""
        return Response(serializers.MessageWithBody(self.get_object()).data)


class DeliveryFilter(django_filters.FilterSet):
    """By endpoint, message and state."""

    endpoint_id = django_filters.UUIDFilter(field_name="endpoint_id")
    message_id = django_filters.CharFilter(field_name="message__message_id")
    state = django_filters.ChoiceFilter(choices=WebhookDelivery.State.choices)

    class Meta:
        model = WebhookDelivery
        fields: list[Any] = []


class WebhookDeliveryViewSet(ProjectViewSet):
    """What was delivered, and what not, newest first."""

    queryset = WebhookDelivery.objects.select_related("message").defer("message__body")
    serializer_class = serializers.DeliveryAnswer
    filterset_class = DeliveryFilter
    permissions = {
        "list": "integrations.view_webhookdelivery",
        "retrieve": "integrations.view_webhookdelivery",
        "replay": "integrations.replay_webhookdelivery",
    }

    @extend_schema(responses=serializers.DeliveryWithAttempts)
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give a delivery with its latest attempts."""
        return self._with_attempts(self.get_object())

    @extend_schema(request=NoBody, responses=serializers.DeliveryWithAttempts)
    def replay(self, request: Request, pk: Any) -> Response:
        """Send it again now, under the same webhook-id."""
        self.validated(NoBody)
        row = replay_delivery(actor=self.principal.actor, delivery=self.get_object())
        return self._with_attempts(row)

    def _with_attempts(self, delivery: WebhookDelivery) -> Response:
        row = with_latest_attempts(delivery)
        return Response(serializers.DeliveryWithAttempts(row).data)
