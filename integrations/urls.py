"""Routes of the outside world, below /api/v1."""

from django.urls import path

from integrations.connections.views import IntegrationViewSet

urlpatterns = [
    path("integration/external", IntegrationViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "integration/external/<str:name>",
        IntegrationViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
        ),
    ),
]
