"""Routes of the outside world, below /api/v1."""

from django.urls import path

from integrations.connections.call_views import CallViewSet, StatusViewSet
from integrations.connections.views import IntegrationViewSet
from integrations.webhooks import record_views as records
from integrations.webhooks.inbound.event_views import ReceivedEventViewSet
from integrations.webhooks.inbound.source_views import InboundSourceViewSet
from integrations.webhooks.inbound.view import inbound
from integrations.webhooks.views import PublishViewSet, WebhookEndpointViewSet

EXTERNAL = "integration/external"
WEBHOOK = "integration/webhook"
SOURCES = f"{WEBHOOK}/sources"
RECEIVED = f"{WEBHOOK}/received"

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
    path(WEBHOOK, PublishViewSet.as_view({"post": "create"})),
    path(
        f"{WEBHOOK}/endpoints",
        WebhookEndpointViewSet.as_view({"get": "list", "post": "create"}),
    ),
    path(
        f"{WEBHOOK}/endpoints/<uuid:pk>",
        WebhookEndpointViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
        ),
    ),
    *(
        path(
            f"{WEBHOOK}/endpoints/<uuid:pk>/{name.replace('_', '-')}",
            WebhookEndpointViewSet.as_view({"post": name}),
        )
        for name in ("rotate_secret", "recover", "enable", "disable")
    ),
    path(
        f"{WEBHOOK}/event-types",
        records.EventTypeViewSet.as_view({"get": "list", "post": "create"}),
    ),
    path(
        f"{WEBHOOK}/event-types/<uuid:pk>",
        records.EventTypeViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
        ),
    ),
    path(f"{WEBHOOK}/messages", records.WebhookMessageViewSet.as_view({"get": "list"})),
    path(
        f"{WEBHOOK}/messages/<str:message_id>",
        records.WebhookMessageViewSet.as_view({"get": "retrieve"}),
    ),
    path(f"{WEBHOOK}/deliveries", records.WebhookDeliveryViewSet.as_view({"get": "list"})),
    path(
        f"{WEBHOOK}/deliveries/<uuid:pk>",
        records.WebhookDeliveryViewSet.as_view({"get": "retrieve"}),
    ),
    path(
        f"{WEBHOOK}/deliveries/<uuid:pk>/replay",
        records.WebhookDeliveryViewSet.as_view({"post": "replay"}),
    ),
    path(f"{WEBHOOK}/inbound/<str:source>", inbound),
    path(SOURCES, InboundSourceViewSet.as_view({"get": "list", "post": "create"})),
    path(
        f"{SOURCES}/<str:name>",
        InboundSourceViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
        ),
    ),
    path(
        f"{SOURCES}/<str:name>/rotate-secret",
        InboundSourceViewSet.as_view({"post": "rotate_secret"}),
    ),
    path(f"{SOURCES}/<str:name>/validate", InboundSourceViewSet.as_view({"post": "validate"})),
    path(RECEIVED, ReceivedEventViewSet.as_view({"get": "list"})),
    path(f"{RECEIVED}/<uuid:pk>", ReceivedEventViewSet.as_view({"get": "retrieve"})),
    path(f"{RECEIVED}/<uuid:pk>/replay", ReceivedEventViewSet.as_view({"post": "replay"})),
]
