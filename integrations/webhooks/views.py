"""The routes of webhook endpoints and of publishing."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.views import ProjectViewSet
from integrations.models import WebhookEndpoint, WebhookMessage
from integrations.webhooks import endpoints, names, serializers, standing
from integrations.webhooks.replays import Scope, recover
from integrations.webhooks.rotation import rotate_secret
from integrations.webhooks.services import publish
from intmod_site.api.fields import NoBody


class PublishViewSet(ProjectViewSet):
    """Publishing."""

    queryset = WebhookMessage.objects.all()
    serializer_class = serializers.PublishAnswer
    permissions = {"create": "integrations.publish_webhookmessage"}

    @extend_schema(request=serializers.PublishWrite, responses={202: serializers.PublishAnswer})
    def create(self, request: Request) -> Response:
        """Tell every endpoint that asks for the event's type: the guide's send_webhook."""
        body = self.validated(serializers.PublishWrite)
        names.check_free(body["event_type"])
        names.check_free_id(body.get("id"))
        publication = publish(
            body["event_type"],
            body["data"],
            project=self.principal.project,
            actor=self.principal.actor,
            message_id=body.get("id"),
        )
        return Response(serializers.PublishAnswer(publication).data, status=202)


class WebhookEndpointViewSet(ProjectViewSet):
    """The project's webhook endpoints."""

    queryset = WebhookEndpoint.objects.select_related("project")
    serializer_class = serializers.EndpointAnswer
    permissions = {
        "list": "integrations.view_webhookendpoint",
        "retrieve": "integrations.view_webhookendpoint",
        "create": "integrations.add_webhookendpoint",
        "partial_update": "integrations.change_webhookendpoint",
        "destroy": "integrations.delete_webhookendpoint",
        "rotate_secret": "integrations.change_webhookendpoint",
        "enable": "integrations.change_webhookendpoint",
        "disable": "integrations.change_webhookendpoint",
        "recover": "integrations.replay_webhookdelivery",
    }

    @extend_schema(
        request=serializers.EndpointCreate, responses={201: serializers.EndpointWithSecret}
    )
    def create(self, request: Request) -> Response:
        """Register an endpoint; its secret is shown here and never again."""
        endpoint = endpoints.register_endpoint(
            actor=self.principal.actor,
            project=self.principal.project,
            held=self.principal.permissions,
            **self.validated(serializers.EndpointCreate),
        )
        return Response(serializers.EndpointWithSecret(endpoint).data, status=201)

    @extend_schema(
        request=serializers.EndpointWrite(partial=True), responses=serializers.EndpointAnswer
    )
    def partial_update(self, request: Request, pk: Any) -> Response:
        """Change some fields; attempts that begin afterwards use them."""
        endpoint = endpoints.update_endpoint(
            actor=self.principal.actor,
            endpoint=self.get_object(),
            held=self.principal.permissions,
            changes=self.validated(serializers.EndpointWrite, partial=True),
        )
        return self._answer(endpoint)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: Any) -> Response:
        """Remove an endpoint with its deliveries."""
        endpoints.remove_endpoint(actor=self.principal.actor, endpoint=self.get_object())
        return Response(status=204)

    @extend_schema(request=serializers.RotateWrite, responses=serializers.EndpointWithSecret)
    def rotate_secret(self, request: Request, pk: Any) -> Response:
        """Exchange the secret; the new one is shown here and never again."""
        endpoint = rotate_secret(
            actor=self.principal.actor,
            endpoint=self.get_object(),
            **self.validated(serializers.RotateWrite),
        )
        return Response(serializers.EndpointWithSecret(endpoint).data)

    @extend_schema(request=NoBody, responses=serializers.EndpointAnswer)
    def enable(self, request: Request, pk: Any) -> Response:
        """Tell it again, beginning with what was held."""
        self.validated(NoBody)
        return self._answer(
            standing.enable_endpoint(actor=self.principal.actor, endpoint=self.get_object())
        )

    @extend_schema(request=NoBody, responses=serializers.EndpointAnswer)
    def disable(self, request: Request, pk: Any) -> Response:
        """Tell it nothing more; what is meant for it is held."""
        self.validated(NoBody)
        return self._answer(
            standing.disable_endpoint(actor=self.principal.actor, endpoint=self.get_object())
        )

    @extend_schema(request=serializers.RecoverWrite, responses=serializers.RecoverAnswer)
    def recover(self, request: Request, pk: Any) -> Response:
        """Send it again what was published in a time: what failed, what it missed, or all."""
        body = self.validated(serializers.RecoverWrite)
        body["scope"] = Scope(body["scope"])
        count = recover(actor=self.principal.actor, endpoint=self.get_object(), **body)
        return Response({"deliveries": count})

    def _answer(self, endpoint: WebhookEndpoint) -> Response:
        return Response(serializers.EndpointAnswer(endpoint).data)
