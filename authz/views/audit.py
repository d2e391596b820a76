"""Reading the audit log."""

from typing import Any

import django_filters
from rest_framework import serializers

from authz.api.views import ProjectViewSet
from authz.models.audit import AuditEvent
from intmod_site.api.filters import MomentFilter


class AuditEventAnswer(serializers.ModelSerializer[AuditEvent]):
    """An event as it was recorded."""

    changes = serializers.DictField()

    class Meta:
        model = AuditEvent
        fields = [
            "id",
            "occurred_at",
            "action",
            "outcome",
            "actor_kind",
            "actor_id",
            "actor_label",
            "credential",
            "project_label",
            "object_type",
            "object_id",
            "object_label",
            "changes",
            "request_id",
            "address",
        ]


class AuditEventFilter(django_filters.FilterSet):
    """By who, what, on what, how it ended and when."""

    actor = django_filters.CharFilter(field_name="actor_id")
    action = django_filters.CharFilter()
    object_type = django_filters.CharFilter()
    object_id = django_filters.CharFilter()
    outcome = django_filters.ChoiceFilter(choices=AuditEvent.Outcome.choices)
    since = MomentFilter(field_name="occurred_at", lookup_expr="gte")
    until = MomentFilter(field_name="occurred_at", lookup_expr="lt")

    class Meta:
        model = AuditEvent
        fields: list[Any] = []


class AuditEventViewSet(ProjectViewSet):
    """The project's audit log, newest first."""

    queryset = AuditEvent.objects.all()
    serializer_class = AuditEventAnswer
    filterset_class = AuditEventFilter
    permissions = {"list": "authz.view_auditevent", "retrieve": "authz.view_auditevent"}
