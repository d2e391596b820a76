"""The endpoints of thresholds, alerts and silences."""

from typing import Any

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.views import ProjectViewSet
from integrations.models import Integration
from intmod_site.api.errors import ValidationFailed
from intmod_site.api.fields import NoBody
from registry.catalog.versions import version_numbered
from registry.models import Alert, ModelVersion, RegisteredModel, Silence, Threshold
from registry.monitoring import serializers
from registry.monitoring.alerting import checks, handling, thresholds
from registry.monitoring.optimization.recommendations import optimize


class ThresholdFilter(django_filters.FilterSet):
    """By metric or model."""

    metric = django_filters.CharFilter()
    model = django_filters.CharFilter(field_name="model__name")

    class Meta:
        model = Threshold
        fields: list[Any] = []


class ThresholdViewSet(ProjectViewSet):
    """The project's thresholds."""

    queryset = Threshold.objects.select_related("model", "version__model", "integration")
    serializer_class = serializers.ThresholdAnswer
    filterset_class = ThresholdFilter
    permissions = {
        "list": "registry.view_threshold",
        "retrieve": "registry.view_threshold",
        "create": "registry.add_threshold",
        "partial_update": "registry.change_threshold",
        "destroy": "registry.delete_threshold",
    }

    @extend_schema(request=serializers.ThresholdWrite, responses={201: serializers.ThresholdAnswer})
    def create(self, request: Request) -> Response:
        """Set a threshold: the guide's set_performance_threshold."""
        fields = self.validated(serializers.ThresholdWrite)
        row = thresholds.set_threshold(
            actor=self.principal.actor,
            project=self.principal.project,
            **named_targets(self, fields),
        )
        return Response(serializers.ThresholdAnswer(row).data, status=201)

    @extend_schema(request=serializers.ThresholdChange, responses=serializers.ThresholdAnswer)
    def partial_update(self, request: Request, pk: Any) -> Response:
        """Change a threshold."""
        row = thresholds.update_threshold(
            actor=self.principal.actor,
            threshold=self.get_object(),
            changes=self.validated(serializers.ThresholdChange),
        )
        return Response(serializers.ThresholdAnswer(row).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: Any) -> Response:
        """Remove a threshold with its alerts."""
        thresholds.delete_threshold(actor=self.principal.actor, threshold=self.get_object())
        return Response(status=204)


def named_targets(view: ProjectViewSet, fields: dict[str, Any]) -> dict[str, Any]:
    """Exchange names for what they name in the caller's project."""
    sources: dict[str, tuple[str, Any, str]] = {
        "model": ("model", RegisteredModel.objects.filter(deleted_at=None), "name"),
        "model_id": ("version", ModelVersion.objects.existing(), "identifier"),
        "integration": ("integration", Integration.objects.all(), "name"),
        "threshold_id": ("threshold", Threshold.objects.all(), "pk"),
    }
    given = dict(fields)
    for name, (target, rows, column) in sources.items():
        if name not in given:
            continue
        wanted = given.pop(name)
        row = rows.filter(project=view.principal.project_id, **{column: wanted}).first()
        if row is None:
            raise ValidationFailed.of(name, "There is none of this name in this project.")
        given[target] = row
    return given


class AlertFilter(django_filters.FilterSet):
    """By state, severity, or what it is about."""

    state = django_filters.ChoiceFilter(choices=Alert.State.choices)
    severity = django_filters.ChoiceFilter(choices=[("warning", "w"), ("critical", "c")])
    metric = django_filters.CharFilter(field_name="threshold__metric")
    model_id = django_filters.CharFilter(field_name="version__identifier")

    class Meta:
        model = Alert
        fields: list[Any] = []


class AlertViewSet(ProjectViewSet):
    """The project's alerts, newest first."""

    queryset = Alert.objects.select_related(
        "threshold__model", "threshold__version__model", "threshold__integration", "version"
    )
    serializer_class = serializers.AlertAnswer
    filterset_class = AlertFilter
    permissions = {
        "list": "registry.view_alert",
        "retrieve": "registry.view_alert",
        "acknowledge": "registry.change_alert",
    }

    @extend_schema(request=None, responses=serializers.AlertAnswer)
    def acknowledge(self, request: Request, pk: Any) -> Response:
        """Say that somebody knows."""
        self.validated(NoBody)
        alert = handling.acknowledge(actor=self.principal.actor, alert=self.get_object())
        return Response(serializers.AlertAnswer(alert).data)


class SilenceViewSet(ProjectViewSet):
    """The project's silences."""

    queryset = Silence.objects.select_related("model")
    serializer_class = serializers.SilenceAnswer
    permissions = {
        "list": "registry.view_silence",
        "retrieve": "registry.view_silence",
        "create": "registry.add_silence",
        "destroy": "registry.delete_silence",
    }

    @extend_schema(request=serializers.SilenceWrite, responses={201: serializers.SilenceAnswer})
    def create(self, request: Request) -> Response:
        """Let alerts not be told, for a time."""
        fields = named_targets(self, self.validated(serializers.SilenceWrite))
        row = handling.silence(actor=self.principal.actor, project=self.principal.project, **fields)
        return Response(serializers.SilenceAnswer(row).data, status=201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: Any) -> Response:
        """Let them be told again."""
        handling.end_silence(actor=self.principal.actor, row=self.get_object())
        return Response(status=204)


class VersionHealthViewSet(ProjectViewSet):
    """Checking and optimizing one version."""

    queryset = ModelVersion.objects.existing()
    serializer_class = serializers.CheckAnswer
    permissions = {
        "check": "registry.view_metricsample",
        "optimize": "registry.change_recommendation",
    }

    @extend_schema(request=None, responses=serializers.CheckAnswer)
    def check(self, request: Request, name: str, number: int) -> Response:
        """Say how the version does: the guide's check_model_performance."""
        self.validated(NoBody)
        return Response(checks.check(self._version(name, number)))

    @extend_schema(request=None, responses=serializers.OptimizeAnswer)
    def optimize(self, request: Request, name: str, number: int) -> Response:
        """Apply the project's rules to the version: the guide's optimize_model."""
        self.validated(NoBody)
        return Response({"recommendations": optimize(self._version(name, number))})

    def _version(self, name: str, number: int) -> ModelVersion:
        return version_numbered(project=self.principal.project, model_name=name, number=number)
