"""The endpoints that call external systems, and tell how they do."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.views import ProjectViewSet
from integrations.connections import call_serializers as serializers
from integrations.connections.calls import call_integration
from integrations.connections.connection import Connection
from integrations.connections.external_call import Caller, ExternalCall
from integrations.connections.lookup import find_connection
from integrations.connections.status import DEFAULT_WINDOW, WINDOWS, statuses
from integrations.connections.trials import check_connection, validate_call
from integrations.models import CallRecord, Integration
from intmod_site.api.errors import ValidationFailed
from intmod_site.api.fields import NoBody

WINDOW = OpenApiParameter("window", str, enum=list(WINDOWS), default=DEFAULT_WINDOW)


class CallViewSet(ProjectViewSet):
    """Calls of the project's external systems."""

    queryset: QuerySet[CallRecord] = CallRecord.objects.all()
    serializer_class = serializers.CallRecordAnswer
    permissions = {
        "request_named": "integrations.call_integration",
        "request_in_body": "integrations.call_integration",
        "test": "integrations.call_integration",
        "validate": "integrations.call_integration",
        "list": "integrations.view_callrecord",
    }

    @extend_schema(request=serializers.CallWrite, responses=serializers.CallAnswer)
    def request_named(self, request: Request, name: str) -> Response:
        """Call the external system and give its answer, whatever its status."""
        return self._call(name, self.validated(serializers.CallWrite))

    @extend_schema(
        operation_id="integration_external_request",
        request=serializers.NamedCallWrite,
        responses=serializers.CallAnswer,
    )
    def request_in_body(self, request: Request) -> Response:
        """Call an external system that the body names."""
        body = self.validated(serializers.NamedCallWrite)
        return self._call(body.pop("integration"), body)

    @extend_schema(request=NoBody, responses=serializers.TestAnswer)
    def test(self, request: Request, name: str) -> Response:
        """Get the integration's test endpoint once, and tell how that went."""
        self.validated(NoBody)
        trial = check_connection(caller=self._caller, connection=self._connection(name))
        return Response(serializers.TestAnswer(trial).data)

    @extend_schema(request=serializers.CallWrite, responses=serializers.ValidateAnswer)
    def validate(self, request: Request, name: str) -> Response:
        """Say whether a call would be made, by the attached policies, without making it."""
        verdict = validate_call(
            caller=self._caller,
            connection=self._connection(name),
            call=ExternalCall(**self.validated(serializers.CallWrite)),
        )
        return Response(serializers.ValidateAnswer(verdict).data)

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give the log of calls of one integration, newest first."""
        integration = get_object_or_404(
            Integration.objects.in_project(self.principal.project_id), name=kwargs["name"]
        )
        return self.page(self.get_queryset().filter(integration_id=integration.pk))

    def _call(self, name: str, body: dict[str, Any]) -> Response:
        key = self.request.headers.get("Idempotency-Key")
        call = ExternalCall(**body, idempotency_key=key)
        answer = call_integration(caller=self._caller, connection=self._connection(name), call=call)
        return Response(serializers.CallAnswer(answer).data)

    def _connection(self, name: str) -> Connection:
        principal = self.principal
        return find_connection(
            snapshot=principal.snapshot, project_id=principal.project_id, name=name
        )

    @property
    def _caller(self) -> Caller:
        principal = self.principal
        return Caller(actor=principal.actor, project=principal.project, snapshot=principal.snapshot)


class StatusViewSet(ProjectViewSet):
    """How the project's external systems do."""

    queryset: QuerySet[Integration] = Integration.objects.all()
    serializer_class = serializers.StatusAnswer
    lookup_field = "name"
    keyset = ("name",)
    permissions = {
        "list": "integrations.view_integration",
        "retrieve": "integrations.view_integration",
    }
    query_parameters = {"list": ("window",), "retrieve": ("window",)}

    @extend_schema(parameters=[WINDOW])
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give the status of all, page by page."""
        window = self._window()
        rows = self.paginate_queryset(self.get_queryset())
        found = statuses(rows or [], window=window)
        return self.get_paginated_response(serializers.StatusAnswer(found, many=True).data)

    @extend_schema(parameters=[WINDOW])
    def retrieve(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give the status of one."""
        (status,) = statuses([self.get_object()], window=self._window())
        return Response(serializers.StatusAnswer(status).data)

    def _window(self) -> str:
        window = self.request.query_params.get("window", DEFAULT_WINDOW)
        if window not in WINDOWS:
            raise ValidationFailed.of("window", f"One of {', '.join(WINDOWS)}.")
        return window
