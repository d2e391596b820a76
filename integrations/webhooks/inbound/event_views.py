"""The endpoints of events that were received."""

from typing import Any
from uuid import UUID

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.views import ProjectViewSet
from integrations.models import ReceivedEvent
from integrations.webhooks.inbound.replaying import replay
from integrations.webhooks.inbound.serializers import EventAnswer, EventSummary
from intmod_site.api.fields import NoBody
from intmod_site.api.filters import MomentFilter


class ReceivedEventFilter(django_filters.FilterSet):
    """By source, what the sender calls it, and when."""

    source = django_filters.CharFilter(field_name="source__name")
    event_id = django_filters.CharFilter()
    event_type = django_filters.CharFilter()
    state = django_filters.ChoiceFilter(choices=ReceivedEvent.State.choices)
    since = MomentFilter(field_name="received_at", lookup_expr="gte")
    until = MomentFilter(field_name="received_at", lookup_expr="lt")

    class Meta:
        model = ReceivedEvent
        fields: list[Any] = []


class ReceivedEventViewSet(ProjectViewSet):
    """What the project was told, newest first."""

    queryset = ReceivedEvent.objects.select_related("source")
    serializer_class = EventSummary
    filterset_class = ReceivedEventFilter
    permissions = {
        "list": "integrations.view_receivedevent",
        "retrieve": "integrations.view_receivedevent",
        "replay": "integrations.replay_receivedevent",
    }

    def get_queryset(self) -> Any:
        """Leave bodies out of lists."""
        rows = super().get_queryset()
        return rows if self.action == "retrieve" else rows.defer("body")

    def get_serializer_class(self) -> Any:
        """Show the body of one."""
        return EventAnswer if self.action == "retrieve" else EventSummary

    @extend_schema(request=NoBody, responses=EventSummary)
    def replay(self, request: Request, pk: UUID) -> Response:
        """Hand an event on once more, to all who listen now."""
        self.validated(NoBody)
        event = replay(actor=self.principal.actor, event=self.get_object())
        return Response(EventSummary(event).data)
