"""The endpoints of reported measurements."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.views import ProjectViewSet
from intmod_site.api.errors import ValidationFailed
from registry.catalog.serializers import (
    PerformanceAnswer,
    PerformanceCurrent,
    PerformanceWrite,
    SampleAnswer,
)
from registry.catalog.versions import version_numbered
from registry.models import MetricSample, ModelVersion
from registry.monitoring.measured import MEASURED_METRICS, measured_on_calls
from registry.monitoring.performance import update_performance


class PerformanceViewSet(ProjectViewSet):
    """How well a version does."""

    queryset = MetricSample.objects.all()
    serializer_class = SampleAnswer
    keyset: tuple[str, ...] = ("-ts", "-id")
    permissions = {"current": "registry.view_metricsample", "report": "registry.add_metricsample"}
    query_parameters = {"current": ("metric", "source", "cursor", "page_size")}

    @extend_schema(
        responses=PerformanceAnswer,
        parameters=[
            OpenApiParameter("metric", str, description="Only this metric's history."),
            OpenApiParameter(
                "source",
                str,
                enum=MetricSample.Source.values,
                description="reported (the default), or inference: what calls measured of `metric`"
                f", which is one of {', '.join(MEASURED_METRICS)}.",
            ),
            OpenApiParameter("cursor", str),
            OpenApiParameter("page_size", int),
        ],
    )
    def current(self, request: Request, name: str, number: int) -> Response:
        """Give the current values, and the history, newest first."""
        version = version_numbered(project=self.principal.project, model_name=name, number=number)
        page = self.page(self._history(version, request.query_params)).data
        return Response(
            {
                "model_id": version.identifier,
                "performance_metrics": version.performance_metrics,
                "history": page["results"],
                "next": page["next"],
                "previous": page["previous"],
            }
        )

    def _history(self, version: ModelVersion, query: Mapping[str, str]) -> QuerySet[Any]:
        source, metric = query.get("source", MetricSample.Source.REPORTED), query.get("metric")
        if source == MetricSample.Source.INFERENCE:
            self.keyset = ("-id",)
            return measured_on_calls(version, metric)
        if source != MetricSample.Source.REPORTED:
            raise ValidationFailed.of("source", "Either reported or inference.")
        samples = self.get_queryset().filter(version=version)
        return samples.filter(metric=metric) if metric else samples

    @extend_schema(request=PerformanceWrite, responses=PerformanceCurrent)
    def report(self, request: Request, name: str, number: int) -> Response:
        """Report measured values."""
        version = update_performance(
            actor=self.principal.actor,
            version=version_numbered(
                project=self.principal.project, model_name=name, number=number
            ),
            **self.validated(PerformanceWrite),
        )
        return Response(
            {"model_id": version.identifier, "performance_metrics": version.performance_metrics}
        )
