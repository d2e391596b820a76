"""The catalog endpoints."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.views import ProjectViewSet
from integrations.models import Integration
from intmod_site.api.errors import ValidationFailed
from intmod_site.api.fields import NoBody
from registry.catalog import aliases, serializers, services, versions
from registry.models import ModelAlias, ModelVersion, RegisteredModel


class ModelFilter(django_filters.FilterSet):
    """By type."""

    model_type = django_filters.CharFilter()

    class Meta:
        model = RegisteredModel
        fields: list[Any] = []


class ModelViewSet(ProjectViewSet):
    """The project's models."""

    queryset = RegisteredModel.objects.filter(deleted_at=None)
    serializer_class = serializers.ModelAnswer
    filterset_class = ModelFilter
    lookup_field = "name"
    keyset = ("name",)
    permissions = {
        "list": "registry.view_registeredmodel",
        "retrieve": "registry.view_registeredmodel",
        "create": "registry.add_registeredmodel",
        "partial_update": "registry.change_registeredmodel",
        "destroy": "registry.delete_registeredmodel",
    }

    @extend_schema(request=serializers.ModelWrite, responses={201: serializers.ModelAnswer})
    def create(self, request: Request) -> Response:
        """Create a model without versions."""
        model = services.create_model(
            actor=self.principal.actor,
            project=self.principal.project,
            **self.validated(serializers.ModelWrite),
        )
        return Response(serializers.ModelAnswer(model).data, status=201)

    @extend_schema(request=serializers.ModelChange, responses=serializers.ModelAnswer)
    def partial_update(self, request: Request, name: str) -> Response:
        """Change type, description or tags."""
        model = services.update_model(
            actor=self.principal.actor,
            model=self.get_object(),
            changes=self.validated(serializers.ModelChange),
        )
        return Response(serializers.ModelAnswer(model).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, name: str) -> Response:
        """Delete a model with its versions and aliases; their numbers are never given again."""
        services.delete_model(actor=self.principal.actor, model=self.get_object())
        return Response(status=204)


class OfModel(ProjectViewSet):
    """Views of what belongs to the model named in the URL."""

    def model(self) -> RegisteredModel:
        """Give the model, or answer 404."""
        return services.model_named(project=self.principal.project, name=self.kwargs["name"])


class VersionViewSet(OfModel):
    """A model's versions."""

    queryset = ModelVersion.objects.existing().select_related("model", "integration")
    serializer_class = serializers.VersionAnswer
    lookup_field = "number"
    keyset = ("-number",)
    permissions = {
        "list": "registry.view_modelversion",
        "retrieve": "registry.view_modelversion",
        "create": "registry.add_modelversion",
        "partial_update": "registry.change_modelversion",
        "deactivate": "registry.change_modelversion",
    }

    def get_queryset(self) -> QuerySet[ModelVersion]:
        """Only versions of the model in the URL."""
        return super().get_queryset().filter(model__name=self.kwargs.get("name"))

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give one page of the model's versions, newest first."""
        self.model()
        return super().list(request, *args, **kwargs)

    @extend_schema(request=serializers.VersionWrite, responses={201: serializers.VersionAnswer})
    def create(self, request: Request, name: str) -> Response:
        """Give the model its next version."""
        fields = with_integration(self, self.validated(serializers.VersionWrite))
        version = versions.create_version(actor=self.principal.actor, model=self.model(), **fields)
        return Response(serializers.VersionAnswer(version).data, status=201)

    @extend_schema(request=serializers.VersionChange, responses=serializers.VersionAnswer)
    def partial_update(self, request: Request, name: str, number: int) -> Response:
        """Change a version; what it is made of stays."""
        changes = with_integration(self, self.validated(serializers.VersionChange))
        version = versions.update_version(
            actor=self.principal.actor, version=self.get_object(), changes=changes
        )
        return Response(serializers.VersionAnswer(version).data)

    @extend_schema(request=None, responses=serializers.VersionAnswer)
    def deactivate(self, request: Request, name: str, number: int) -> Response:
        """Let a version answer no more calls, from the next one on."""
        self.validated(NoBody)
        version = versions.deactivate_version(actor=self.principal.actor, version=self.get_object())
        return Response(serializers.VersionAnswer(version).data)


class VersionFilter(django_filters.FilterSet):
    """By type of model, name, provider or whether it is active."""

    model_type = django_filters.CharFilter(field_name="model__model_type")
    model_name = django_filters.CharFilter(field_name="model__name")
    provider = django_filters.CharFilter()
    is_active = django_filters.ChoiceFilter(
        choices=[("true", "true"), ("false", "false")], method="filter_active"
    )

    class Meta:
        model = ModelVersion
        fields: list[Any] = []

    def filter_active(
        self, queryset: QuerySet[ModelVersion], name: str, value: str
    ) -> QuerySet[ModelVersion]:
        """Read true and false as JSON writes them."""
        return queryset.filter(**{name: value == "true"})


class AllVersionsViewSet(ProjectViewSet):
    """All versions of the project, across models."""

    queryset = ModelVersion.objects.existing().select_related("model", "integration")
    serializer_class = serializers.VersionAnswer
    filterset_class = VersionFilter
    lookup_field = "identifier"
    lookup_url_kwarg = "model_id"
    permissions = {"list": "registry.view_modelversion", "retrieve": "registry.view_modelversion"}


class AliasViewSet(OfModel):
    """A model's aliases."""

    queryset = ModelAlias.objects.select_related("version", "model")
    serializer_class = serializers.AliasAnswer
    project_path = "model__project_id"
    permissions = {
        "list": "registry.view_modelalias",
        "retrieve": "registry.view_modelalias",
        "update": "registry.change_modelalias",
        "destroy": "registry.delete_modelalias",
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


def with_integration(view: ProjectViewSet, fields: dict[str, Any]) -> dict[str, Any]:
    """Exchange the integration's name for the integration; the caller's project only."""
    name = fields.get("integration")
    if name is None:
        return fields
    integration = (
        Integration.objects.in_project(view.principal.project_id).filter(name=name).first()
    )
    if integration is None:
        raise ValidationFailed.of("integration", f"There is no integration called {name}.")
    return fields | {"integration": integration}
