"""The endpoints of reported measurements."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.views import ProjectViewSet
from registry.catalog.serializers import (
    PerformanceAnswer,
    PerformanceCurrent,
    PerformanceWrite,
    SampleAnswer,
)
from registry.catalog.versions import version_numbered
from registry.models import MetricSample
from registry.monitoring.performance import update_performance


class PerformanceViewSet(ProjectViewSet):
    """How well a version does."""

    queryset = MetricSample.objects.all()
    serializer_class = SampleAnswer
    project_path = "version__project_id"
    keyset = ("-ts", "-id")
    permissions = {"current": "registry.view_metricsample", "report": "registry.add_metricsample"}
    query_parameters = {"current": ("metric", "cursor", "page_size")}

    @extend_schema(
        responses=PerformanceAnswer,
        parameters=[
            OpenApiParameter("metric", str, description="Only this metric's history."),
            OpenApiParameter("cursor", str),
            OpenApiParameter("page_size", int),
        ],
    )
    def current(self, request: Request, name: str, number: int) -> Response:
        """Give the current values, and the history, newest first."""
        version = version_numbered(project=self.principal.project, model_name=name, number=number)
        samples = self.get_queryset().filter(version=version)
        if metric := request.query_params.get("metric"):
            samples = samples.filter(metric=metric)
        page = self.page(samples).data
        return Response(
            {
                "model_id": version.identifier,
                "performance_metrics": version.performance_metrics,
                "history": page["results"],
                "next": page["next"],
                "previous": page["previous"],
            }
        )

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
