"""The endpoints of aliases: where they point, where they pointed, and who must agree."""

from typing import Any

import django_filters
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.views import ProjectViewSet
from intmod_site.api.errors import ValidationFailed
from intmod_site.api.filters import MomentField
from registry.catalog import aliases, approvals, protection, serializers
from registry.catalog.versions import version_numbered
from registry.catalog.views import OfModel
from registry.models import AliasChange, ApprovalRequest, ModelAlias, ProtectedAlias


class AliasViewSet(OfModel):
    """A model's aliases."""

    queryset = ModelAlias.objects.select_related("version", "model")
    serializer_class = serializers.AliasAnswer
    permissions = {
        "list": "registry.view_modelalias",
        "retrieve": "registry.view_modelalias",
        "update": "registry.change_modelalias",
        "destroy": "registry.delete_modelalias",
        "rollback": "registry.change_modelalias",
    }

    @extend_schema(responses=serializers.AliasList)
    def list(self, request: Request, name: str) -> Response:
        """Give the model's aliases."""
        rows = self.get_queryset().filter(model=self.model())
        return Response({"results": serializers.AliasAnswer(rows, many=True).data})

    def known_parameters(self) -> tuple[str, ...]:
        """A model has few aliases: they are not paged."""
        return ()

    def retrieve(self, request: Request, name: str, alias: str) -> Response:
        """Give one alias."""
        return Response(
            serializers.AliasAnswer(aliases.alias_named(model=self.model(), name=alias)).data
        )

    @extend_schema(request=serializers.AliasWrite, responses=serializers.AliasAnswer)
    def update(self, request: Request, name: str, alias: str) -> Response:
        """Point the alias at a version, creating it if need be."""
        row = aliases.set_alias(
            actor=self.principal.actor,
            model=self.model(),
            name=alias,
            **self.validated(serializers.AliasWrite),
        )
        return Response(serializers.AliasAnswer(row).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, name: str, alias: str) -> Response:
        """Remove the alias."""
        aliases.delete_alias(
            actor=self.principal.actor, alias=aliases.alias_named(model=self.model(), name=alias)
        )
        return Response(status=204)

    @extend_schema(request=serializers.AliasRollback, responses=serializers.AliasAnswer)
    def rollback(self, request: Request, name: str, alias: str) -> Response:
        """Point the alias back at the version before; once more goes back one further."""
        row = aliases.roll_back(
            actor=self.principal.actor,
            model=self.model(),
            name=alias,
            **self.validated(serializers.AliasRollback),
        )
        return Response(serializers.AliasAnswer(row).data)


class AliasHistoryViewSet(OfModel):
    """Where an alias pointed, and since when."""

    queryset = AliasChange.objects.all()
    serializer_class = serializers.AliasChangeAnswer
    keyset = ("-sequence",)
    permissions = {"list": "registry.view_modelalias"}
    query_parameters = {"list": ("as_of",)}

    @extend_schema(
        parameters=[
            OpenApiParameter("as_of", str, description="Only the move in effect at this moment.")
        ]
    )
    def list(self, request: Request, name: str, alias: str) -> Response:
        """Give the moves of an alias, newest first; also those of one that was removed."""
        moves = AliasChange.objects.of_alias(self.model(), alias)
        if text := request.query_params.get("as_of"):
            moves = moves.as_of(_moment(text))
        return self.page(moves)


def _moment(text: str) -> Any:
    try:
        return MomentField().clean(text)
    except Exception as error:
        raise ValidationFailed.of("as_of", "A moment, such as 2026-11-23T06:00:00Z.") from error


class ProtectionViewSet(ProjectViewSet):
    """The project's protected aliases."""

    queryset = ProtectedAlias.objects.all()
    serializer_class = serializers.ProtectionAnswer
    lookup_field = "name"
    keyset = ("name",)
    permissions = {
        "list": "registry.view_protectedalias",
        "retrieve": "registry.view_protectedalias",
        "create": "registry.add_protectedalias",
        "partial_update": "registry.change_protectedalias",
        "destroy": "registry.delete_protectedalias",
    }

    @extend_schema(
        request=serializers.ProtectionWrite, responses={201: serializers.ProtectionAnswer}
    )
    def create(self, request: Request) -> Response:
        """Protect an alias on every model."""
        row = protection.protect_alias(
            actor=self.principal.actor,
            project=self.principal.project,
            **self.validated(serializers.ProtectionWrite),
        )
        return Response(serializers.ProtectionAnswer(row).data, status=201)

    @extend_schema(request=serializers.ProtectionChange, responses=serializers.ProtectionAnswer)
    def partial_update(self, request: Request, name: str) -> Response:
        """Change what it asks for."""
        row = protection.update_protection(
            actor=self.principal.actor,
            protection=self.get_object(),
            changes=self.validated(serializers.ProtectionChange),
        )
        return Response(serializers.ProtectionAnswer(row).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, name: str) -> Response:
        """Let it move freely again."""
        protection.unprotect_alias(actor=self.principal.actor, protection=self.get_object())
        return Response(status=204)


class ApprovalRequestViewSet(OfModel):
    """Asking for approval."""

    queryset = ApprovalRequest.objects.all()
    serializer_class = serializers.ApprovalAnswer
    permissions = {"create": "registry.add_approvalrequest"}

    @extend_schema(request=serializers.ApprovalWrite, responses={201: serializers.ApprovalAnswer})
    def create(self, request: Request, name: str, number: int) -> Response:
        """Ask whether the version may take an alias."""
        version = version_numbered(project=self.principal.project, model_name=name, number=number)
        approval = approvals.request_approval(
            actor=self.principal.actor,
            version=version,
            **self.validated(serializers.ApprovalWrite),
        )
        return Response(serializers.ApprovalAnswer(approval).data, status=201)


class ApprovalFilter(django_filters.FilterSet):
    """By state, model or alias."""

    state = django_filters.ChoiceFilter(choices=ApprovalRequest.State.choices)
    model = django_filters.CharFilter(field_name="version__model__name")
    alias = django_filters.CharFilter()

    class Meta:
        model = ApprovalRequest
        fields: list[Any] = []


class ApprovalViewSet(ProjectViewSet):
    """The project's approvals."""

    queryset = ApprovalRequest.objects.select_related("version__model", "version__project")
    serializer_class = serializers.ApprovalAnswer
    filterset_class = ApprovalFilter
    permissions = {
        "list": "registry.view_approvalrequest",
        "retrieve": "registry.view_approvalrequest",
        "approve": "registry.review_approvalrequest",
        "reject": "registry.review_approvalrequest",
    }

    @extend_schema(request=serializers.ApprovalReview, responses=serializers.ApprovalAnswer)
    def approve(self, request: Request, pk: Any) -> Response:
        """Answer that the version may take the alias."""
        return self._answer(approvals.approve)

    @extend_schema(request=serializers.ApprovalReview, responses=serializers.ApprovalAnswer)
    def reject(self, request: Request, pk: Any) -> Response:
        """Answer that it may not."""
        return self._answer(approvals.reject)

    def _answer(self, do: Any) -> Response:
        approval = do(
            actor=self.principal.actor,
            approval=self.get_object(),
            **self.validated(serializers.ApprovalReview),
        )
        return Response(serializers.ApprovalAnswer(approval).data)
