"""Routes of the outside world, below /api/v1."""

from django.urls import path

from integrations.connections.call_views import CallViewSet, StatusViewSet
from integrations.connections.views import IntegrationViewSet

EXTERNAL = "integration/external"

urlpatterns = [
    path(EXTERNAL, IntegrationViewSet.as_view({"get": "list", "post": "create"})),
    path(f"{EXTERNAL}/request", CallViewSet.as_view({"post": "request_in_body"})),
    path(
        f"{EXTERNAL}/<str:name>",
        IntegrationViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
        ),
    ),
    path(f"{EXTERNAL}/<str:name>/request", CallViewSet.as_view({"post": "request_named"})),
    path(f"{EXTERNAL}/<str:name>/test", CallViewSet.as_view({"post": "test"})),
    path(f"{EXTERNAL}/<str:name>/validate", CallViewSet.as_view({"post": "validate"})),
    path(f"{EXTERNAL}/<str:name>/calls", CallViewSet.as_view({"get": "list"})),
    path("integration/status", StatusViewSet.as_view({"get": "list"})),
    path("integration/status/<str:name>", StatusViewSet.as_view({"get": "retrieve"})),
]
