"""Reading the audit log, and verifying its newest part."""

from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.views import ProjectView, ProjectViewSet
from authz.audit.chain import Checkpoint
from authz.audit.verify import verify
from authz.models import AuditCheckpoint
from authz.models.audit import AuditEvent
from intmod_site.api.filters import MomentFilter

VERIFIED_SEALS = 5000
"""How many of the newest events a request verifies; `verify_audit_log` verifies all."""


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


class ProblemAnswer(serializers.Serializer[Any]):
    """Something that should not be; without a sequence number where it is not in the chain."""

    sequence = serializers.IntegerField(source="seq", allow_null=True)
    kind = serializers.CharField()
    message = serializers.CharField()


class CheckpointAnswer(serializers.Serializer[Any]):
    """The signed head of the chain; kept elsewhere, it shows when a tail is cut."""

    seq = serializers.IntegerField()
    chain_hash = serializers.CharField()
    created_at = serializers.CharField()
    signature = serializers.CharField(help_text="Ed25519, hex.")
    public_key = serializers.CharField()


class VerifyAuditAnswer(serializers.Serializer[Any]):
    """Whether the newest part of the log is as it was written, in all projects."""

    is_intact = serializers.BooleanField()
    first_sequence = serializers.IntegerField(source="first_seq")
    last_sequence = serializers.IntegerField(source="last_seq")
    event_count = serializers.IntegerField()
    pruned_count = serializers.IntegerField()
    unsealed_count = serializers.IntegerField()
    problems = ProblemAnswer(many=True)
    checkpoint = CheckpointAnswer(allow_null=True)


class AuditVerifyView(ProjectView):
    """The chain of the whole installation; tells counts and problems, no events."""

    permissions = {"get": "authz.view_auditevent"}

    @extend_schema(responses=VerifyAuditAnswer)
    def get(self, request: Request) -> Response:
        """Verify the newest events, and give the last signed checkpoint."""
        report = verify(last=VERIFIED_SEALS)
        row = AuditCheckpoint.objects.order_by("-id").first()
        checkpoint = row and Checkpoint.of(row)
        answer = VerifyAuditAnswer({**report.as_dict(), "checkpoint": checkpoint})
        return Response(answer.data)
