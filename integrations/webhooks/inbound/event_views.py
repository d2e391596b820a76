"""The endpoints of events that were received."""

from typing import Any

import django_filters

from authz.api.views import ProjectViewSet
from integrations.models import ReceivedEvent
from integrations.webhooks.inbound.serializers import EventAnswer, EventSummary
from intmod_site.api.filters import MomentFilter


class ReceivedEventFilter(django_filters.FilterSet):
    """By source, what the sender calls it, and when."""

    source = django_filters.CharFilter(field_name="source__name")
    event_id = django_filters.CharFilter()
    event_type = django_filters.CharFilter()
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
    }

    def get_queryset(self) -> Any:
        """Leave bodies out of lists."""
        rows = super().get_queryset()
        return rows.defer("body") if self.action == "list" else rows

    def get_serializer_class(self) -> Any:
        """Show the body of one."""
        return EventSummary if self.action == "list" else EventAnswer
