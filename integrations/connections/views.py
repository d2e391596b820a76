"""The integration endpoints."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.views import ProjectViewSet
from integrations.connections import services
from integrations.connections.serializers import IntegrationAnswer, IntegrationWrite
from integrations.models import Integration


class IntegrationViewSet(ProjectViewSet):
    """The project's external systems."""

    queryset = Integration.objects.select_related("project")
    serializer_class = IntegrationAnswer
    lookup_field = "name"
    keyset = ("name",)
    permissions = {
        "list": "integrations.view_integration",
        "retrieve": "integrations.view_integration",
        "create": "integrations.add_integration",
        "partial_update": "integrations.change_integration",
        "destroy": "integrations.delete_integration",
    }

    @extend_schema(request=IntegrationWrite, responses={201: IntegrationAnswer})
    def create(self, request: Request) -> Response:
        """Register an external system."""
        integration = services.register_integration(
            actor=self.principal.actor,
            project=self.principal.project,
            **self.validated(IntegrationWrite),
        )
        return Response(IntegrationAnswer(integration).data, status=201)

    @extend_schema(request=IntegrationWrite(partial=True), responses=IntegrationAnswer)
    def partial_update(self, request: Request, name: str) -> Response:
        """Change some fields; those not named stay."""
        integration = services.update_integration(
            actor=self.principal.actor,
            integration=self.get_object(),
            changes=self.validated(IntegrationWrite, partial=True),
        )
        return Response(IntegrationAnswer(integration).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, name: str) -> Response:
        """Remove an integration that nothing refers to."""
        services.remove_integration(actor=self.principal.actor, integration=self.get_object())
        return Response(status=204)
