"""The catalog endpoints."""

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.views import ProjectViewSet
from integrations.models import Integration
from intmod_site.api.errors import ValidationFailed
from intmod_site.api.fields import NoBody
from registry.catalog import serializers, services, versions
from registry.catalog.cards import card_of
from registry.catalog.search.order import MODEL_ORDERS, VERSION_ORDERS, keyset_of
from registry.catalog.search.query import MODELS, Searched, condition_of
from registry.catalog.search.query import VERSIONS as SEARCHED_VERSIONS
from registry.models import ModelVersion, RegisteredModel

VERSIONS = (
    ModelVersion.objects.existing()
    .select_related("model", "integration")
    .prefetch_related("aliases")
)


class ModelFilter(django_filters.FilterSet):
    """By type."""

    model_type = django_filters.CharFilter()

    class Meta:
        model = RegisteredModel
        fields: list[Any] = []


class SearchedViewSet(ProjectViewSet):
    """Lists that take `filter` and `order_by`."""

    searched: Searched
    orders: dict[str, str]
    default_order: tuple[str, ...]

    @property
    def keyset(self) -> tuple[str, ...]:  # type: ignore[override]
        """The order that was asked for."""
        text = self.request.query_params.get("order_by", "")
        return keyset_of(text, self.orders, default=self.default_order)

    def known_parameters(self) -> tuple[str, ...]:
        """Add them to what lists take."""
        extra = ("filter", "order_by") if self.action == "list" else ()
        return (*super().known_parameters(), *extra)

    @extend_schema(
        parameters=[
            OpenApiParameter("filter", str, description="Such as: name LIKE 'a%' AND tags.b = 'c'"),
            OpenApiParameter("order_by", str, description="Such as: updated_at DESC, name"),
        ]
    )
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Give one page of what the filter names."""
        condition = condition_of(
            request.query_params.get("filter", ""),
            self.searched,
            project_id=self.principal.project_id,
        )
        return self.page(self.get_queryset().filter(condition))


class ModelViewSet(SearchedViewSet):
    """The project's models."""

    queryset = RegisteredModel.objects.filter(deleted_at=None)
    serializer_class = serializers.ModelAnswer
    filterset_class = ModelFilter
    lookup_field = "name"
    searched = MODELS
    orders = MODEL_ORDERS
    default_order = ("name",)
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

    queryset = VERSIONS
    serializer_class = serializers.VersionAnswer
    lookup_field = "number"
    keyset = ("-number",)
    permissions = {
        "list": "registry.view_modelversion",
        "retrieve": "registry.view_modelversion",
        "card": "registry.view_modelversion",
        "create": "registry.add_modelversion",
        "partial_update": "registry.change_modelversion",
        "destroy": "registry.delete_modelversion",
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

    @extend_schema(responses=serializers.CardAnswer)
    def card(self, request: Request, name: str, number: int) -> Response:
        """Give the version's model card: a README with front matter, as Hugging Face has it."""
        return Response({"content": card_of(self.get_object())})

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, name: str, number: int) -> Response:
        """Delete a version that no alias points at; its number is never given again."""
        versions.delete_version(actor=self.principal.actor, version=self.get_object())
        return Response(status=204)

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


class AllVersionsViewSet(SearchedViewSet):
    """All versions of the project, across models."""

    queryset = VERSIONS
    searched = SEARCHED_VERSIONS
    orders = VERSION_ORDERS
    default_order = ("-created_at",)
    serializer_class = serializers.VersionAnswer
    filterset_class = VersionFilter
    lookup_field = "identifier"
    lookup_url_kwarg = "model_id"
    permissions = {"list": "registry.view_modelversion", "retrieve": "registry.view_modelversion"}


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
