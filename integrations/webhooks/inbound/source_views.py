"""The endpoints of inbound sources."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.views import ProjectViewSet
from integrations.models import InboundSource
from integrations.webhooks.inbound import serializers, sources
from integrations.webhooks.inbound.rotation import rotate_secret
from integrations.webhooks.inbound.trials import validate_event


class InboundSourceViewSet(ProjectViewSet):
    """Those who may tell the project of events."""

    queryset = InboundSource.objects.select_related("project")
    serializer_class = serializers.SourceAnswer
    lookup_field = "name"
    keyset = ("name",)
    permissions = {
        "list": "integrations.view_inboundsource",
        "retrieve": "integrations.view_inboundsource",
        "create": "integrations.add_inboundsource",
        "partial_update": "integrations.change_inboundsource",
        "destroy": "integrations.delete_inboundsource",
        "rotate_secret": "integrations.change_inboundsource",
        "validate": "integrations.view_inboundsource",
    }

    @extend_schema(
        request=serializers.SourceWrite, responses={201: serializers.SourceWithSecretAnswer}
    )
    def create(self, request: Request) -> Response:
        """Register somebody who may tell of events; the secret is shown in this answer only."""
        source, secret = sources.register_source(
            actor=self.principal.actor,
            project=self.principal.project,
            **self.validated(serializers.SourceWrite),
        )
        return _with_secret(source, secret, status=201)

    @extend_schema(
        request=serializers.SourceChange(partial=True), responses=serializers.SourceAnswer
    )
    def partial_update(self, request: Request, name: str) -> Response:
        """Change some fields; those not named stay. The secret has an action of its own."""
        source = sources.update_source(
            actor=self.principal.actor,
            source=self.get_object(),
            changes=self.validated(serializers.SourceChange),
        )
        return Response(serializers.SourceAnswer(source).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, name: str) -> Response:
        """Remove a source with the events that it told of."""
        sources.remove_source(actor=self.principal.actor, source=self.get_object())
        return Response(status=204)

    @extend_schema(request=serializers.RotateRequest, responses=serializers.SourceWithSecretAnswer)
    def rotate_secret(self, request: Request, name: str) -> Response:
        """Give a source another secret, shown in this answer only; the old one may stay a while."""
        source, secret = rotate_secret(
            actor=self.principal.actor,
            source=self.get_object(),
            **self.validated(serializers.RotateRequest),
        )
        return _with_secret(source, secret)

    @extend_schema(request=serializers.EventToJudge, responses=serializers.EventVerdict)
    def validate(self, request: Request, name: str) -> Response:
        """Say whether the attached policies would let an event in; nothing is kept of it."""
        decision, not_judged = validate_event(
            actor=self.principal.actor,
            source=self.get_object(),
            snapshot=self.principal.snapshot,
            told=self.validated(serializers.EventToJudge),
        )
        answer = {
            "valid": decision.allowed,
            "reasons": decision.reasons,
            "policies": decision.policies,
            "not_judged": not_judged,
        }
        return Response(serializers.EventVerdict(answer).data)


def _with_secret(source: InboundSource, secret: str, *, status: int = 200) -> Response:
    answer = serializers.SourceWithSecretAnswer(source, context={"secret": secret})
    return Response(answer.data, status=status, headers={"Cache-Control": "no-store"})
