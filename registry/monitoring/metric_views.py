"""The endpoints of metrics: samples in, series out, definitions."""

import re
from datetime import UTC, datetime, timedelta
from functools import wraps
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.plain import plain_post
from authz.api.views import ProjectView, ProjectViewSet
from authz.identity.principal import Principal
from intmod_site.api.bodies import parse_body
from intmod_site.api.envelope import answer
from intmod_site.api.errors import NotFound, ValidationFailed
from intmod_site.api.filters import MomentField
from intmod_site.api.parser import read_json
from intmod_site.api.schema import PlainEndpoint, register_plain_endpoint
from intmod_site.plain_routes import plain
from registry.catalog.references import versions_meant
from registry.models import MetricDefinition, Threshold
from registry.monitoring import definitions, serializers
from registry.monitoring.performance import METRIC_NAME
from registry.monitoring.reading import series
from registry.monitoring.rollup import begin_of
from registry.monitoring.samples import Sample, add_samples

AGGREGATIONS = [name for name in Threshold.Aggregation.values if name != "latest"]
STEP = re.compile(r"([1-9][0-9]{0,3})(m|h|d)", re.ASCII)
UNITS_S = {"m": 60, "h": 3600, "d": 86_400}
MAX_POINTS = 2000
ADD = "registry.add_metricsample"
DEFAULT_PERIOD = timedelta(hours=24)
EARLIEST = datetime(1971, 1, 1, tzinfo=UTC)


class MetricsView(ProjectView):
    """Measured values over time, of calls and as reported."""

    permissions = {"get": "registry.view_metricsample"}

    def known_parameters(self) -> tuple[str, ...]:
        """Series are asked for by query."""
        return ("model", "metric", "agg", "step", "since", "until")

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
        # The calendar's first day has none before it.
        since = _moment(query, "since") or max(until, EARLIEST + DEFAULT_PERIOD) - DEFAULT_PERIOD
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


class SamplesRequest(msgspec.Struct, forbid_unknown_fields=True):
    """Measured values, in any order; what was sent before is counted and not kept again."""

    samples: list[Sample]


@plain_post(permission=ADD, waits=False)
def add(request: HttpRequest, principal: Principal) -> HttpResponse:
    """Keep up to 1000 measured values."""
    asked = parse_body(read_json(request), SamplesRequest)
    accepted, duplicates = add_samples(
        actor=principal.actor, project=principal.project, samples=asked.samples
    )
    return answer({"accepted": accepted, "duplicates": duplicates}, status=201)


_read = MetricsView.as_view()


@plain
@wraps(_read)
def metrics(request: HttpRequest) -> HttpResponseBase:
    """Take samples by a plain view, which costs half; leave the rest to DRF."""
    if request.method == "POST":
        return add(request)
    response = _read(request)
    if response.has_header("Allow"):
        response.headers["Allow"] = "GET, POST, HEAD, OPTIONS"
    assert isinstance(response, Response)  # noqa: S101 -- DRF's views give nothing else
    # Nobody else renders what came by the short way.
    return response.render()


def register_samples() -> None:
    """Describe POST in the OpenAPI schema."""
    (body,), components = msgspec.json.schema_components(
        [SamplesRequest], ref_template="#/components/schemas/{name}"
    )
    count = {"type": "integer", "minimum": 0}
    data = {
        "type": "object",
        "required": ["accepted", "duplicates"],
        "additionalProperties": False,
        "properties": {"accepted": count, "duplicates": count},
    }
    key = {"name": "Idempotency-Key", "in": "header"}
    register_plain_endpoint(
        PlainEndpoint(
            path="/api/v1/db/metrics",
            method="post",
            operation={
                "operationId": "db_metrics_create",
                "summary": "Keep up to 1000 measured values, in any order.",
                "tags": ["db"],
                "x-permission": ADD,
                "parameters": [key | {"schema": {"type": "string", "maxLength": 255}}],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": body}},
                },
                "responses": {
                    "201": {
                        "description": "What became of the batch.",
                        "content": {"application/json": {"schema": data}},
                    }
                },
            },
            components=components,
        )
    )


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
    if since < EARLIEST or until.year > 2100:
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
