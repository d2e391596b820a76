"""The endpoints of metrics: samples in, series out, definitions."""

import re
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.views import ProjectView, ProjectViewSet
from intmod_site.api.errors import NotFound, ValidationFailed
from intmod_site.api.filters import MomentField
from registry.catalog.references import versions_meant
from registry.models import MetricDefinition, Threshold
from registry.monitoring import definitions, serializers
from registry.monitoring.performance import METRIC_NAME
from registry.monitoring.reading import series
from registry.monitoring.rollup import begin_of
from registry.monitoring.samples import add_samples

AGGREGATIONS = [name for name in Threshold.Aggregation.values if name != "latest"]
STEP = re.compile(r"([1-9][0-9]{0,3})(m|h|d)", re.ASCII)
UNITS_S = {"m": 60, "h": 3600, "d": 86_400}
MAX_POINTS = 2000
DEFAULT_PERIOD = timedelta(hours=24)


class MetricsView(ProjectView):
    """Measured values, of calls and as reported."""

    permissions = {"get": "registry.view_metricsample", "post": "registry.add_metricsample"}

    def known_parameters(self) -> tuple[str, ...]:
        """Series are asked for by query."""
        names = ("model", "metric", "agg", "step", "since", "until")
        return names if self.request.method == "GET" else ()

    @extend_schema(
        responses=serializers.SeriesAnswer,
        parameters=[
            OpenApiParameter("model", str, required=True, description="As a call would name it."),
            OpenApiParameter("metric", str, required=True),
            OpenApiParameter("agg", str, enum=AGGREGATIONS, description="avg by default."),
            OpenApiParameter("step", str, description="Such as 1m, 5m, 1h, 1d; 1h by default."),
            OpenApiParameter("since", str, description="24 hours before `until` by default."),
            OpenApiParameter("until", str, description="Now by default."),
        ],
    )
    def get(self, request: Request) -> Response:
        """Give a metric over time; steps without values stand there too.

        A bare model's name means all of its versions together.
        """
        query = request.query_params
        model, metric = _needed(query, "model"), _needed(query, "metric")
        if not METRIC_NAME.fullmatch(metric):
            raise ValidationFailed.of("metric", "Not the name of a metric.")
        aggregation = query.get("agg", "avg")
        if aggregation not in AGGREGATIONS:
            raise ValidationFailed.of("agg", f"One of: {', '.join(AGGREGATIONS)}.")
        step_s = _step_s(query.get("step", "1h"))
        until = _moment(query, "until") or timezone.now()
        since = _moment(query, "since") or until - DEFAULT_PERIOD
        _check_period(since, until, step_s)
        versions = versions_meant(self.principal.project_id, model)
        if not versions:
            raise NotFound(f"There is no model {model!a} in this project.", code="model_not_found")
        points = series(versions, metric, aggregation, since=since, until=until, step_s=step_s)
        return Response(
            {
                "model": model,
                "metric": metric,
                "aggregation": aggregation,
                "step_s": step_s,
                "points": [
                    {"ts": point.begins_at, "count": point.count, "value": point.value}
                    for point in points
                ],
            }
        )

    @extend_schema(request=serializers.SamplesWrite, responses={201: serializers.SamplesAnswer})
    def post(self, request: Request) -> Response:
        """Keep up to 1000 measured values, in any order."""
        accepted, duplicates = add_samples(
            actor=self.principal.actor,
            project=self.principal.project,
            **self.validated(serializers.SamplesWrite),
        )
        return Response({"accepted": accepted, "duplicates": duplicates}, status=201)


def _needed(query: Any, name: str) -> str:
    value = str(query.get(name, ""))
    if not value:
        raise ValidationFailed.of(name, "Name one.", code="required")
    return value


def _step_s(text: str) -> int:
    match = STEP.fullmatch(text)
    step_s = int(match[1]) * UNITS_S[match[2]] if match else 0
    if not match or step_s > 31 * 86_400:
        raise ValidationFailed.of("step", "A whole number of m, h or d, such as 5m; at most 31d.")
    return step_s


def _moment(query: Any, name: str) -> datetime | None:
    if name not in query:
        return None
    try:
        moment: datetime | None = MomentField().clean(query[name])
    except Exception as error:
        raise ValidationFailed.of(name, "A moment, such as 2026-11-23T06:00:00Z.") from error
    return moment


def _check_period(since: datetime, until: datetime, step_s: int) -> None:
    if since >= until:
        raise ValidationFailed.of("since", "Before `until`.")
    if since.year < 1971 or until.year > 2100:
        raise ValidationFailed.of("since", "Between 1971 and 2100.")
    if (until - begin_of(since, step_s)).total_seconds() > MAX_POINTS * step_s:
        raise ValidationFailed.of("step", f"At most {MAX_POINTS} steps; take longer ones.")


class DefinitionViewSet(ProjectViewSet):
    """The project's metrics."""

    queryset = MetricDefinition.objects.all()
    serializer_class = serializers.DefinitionAnswer
    lookup_field = "key"
    keyset = ("key",)
    permissions = {
        "list": "registry.view_metricdefinition",
        "retrieve": "registry.view_metricdefinition",
        "create": "registry.add_metricdefinition",
        "partial_update": "registry.change_metricdefinition",
        "destroy": "registry.delete_metricdefinition",
    }

    @extend_schema(
        request=serializers.DefinitionWrite, responses={201: serializers.DefinitionAnswer}
    )
    def create(self, request: Request) -> Response:
        """Define a metric."""
        row = definitions.define_metric(
            actor=self.principal.actor,
            project=self.principal.project,
            **self.validated(serializers.DefinitionWrite),
        )
        return Response(serializers.DefinitionAnswer(row).data, status=201)

    @extend_schema(request=serializers.DefinitionChange, responses=serializers.DefinitionAnswer)
    def partial_update(self, request: Request, key: str) -> Response:
        """Change a metric's definition."""
        row = definitions.update_definition(
            actor=self.principal.actor,
            definition=self.get_object(),
            changes=self.validated(serializers.DefinitionChange),
        )
        return Response(serializers.DefinitionAnswer(row).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, key: str) -> Response:
        """Delete a metric's definition; its samples stay."""
        definitions.delete_definition(actor=self.principal.actor, definition=self.get_object())
        return Response(status=204)
