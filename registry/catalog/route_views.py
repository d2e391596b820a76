"""The endpoints of routes."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.views import ProjectViewSet
from intmod_site.api.fields import ChoiceField, ObjectField, StrictSerializer, TextField
from registry.catalog import routes
from registry.models import Route


class RouteWrite(StrictSerializer):
    """A route to create, or what to change about one."""

    name = TextField(max_length=200)
    description = TextField(max_length=10_000, required=False, allow_blank=True)
    strategy = ChoiceField(choices=Route.Strategy.values, required=False)
    targets = serializers.ListField(
        child=ObjectField(),
        max_length=routes.MAX_TARGETS,
        help_text="Each {model, weight, order}: model as a caller would write it.",
    )


class RouteAnswer(serializers.ModelSerializer[Route]):
    """A route."""

    targets = serializers.ListField(child=serializers.DictField())
    strategy = serializers.CharField()

    class Meta:
        model = Route
        fields = ["id", "name", "description", "strategy", "targets", "created_at", "updated_at"]


class RouteViewSet(ProjectViewSet):
    """The project's routes: names that spread calls over several models."""

    queryset = Route.objects.all()
    serializer_class = RouteAnswer
    lookup_field = "name"
    keyset = ("name",)
    permissions = {
        "list": "registry.view_route",
        "retrieve": "registry.view_route",
        "create": "registry.add_route",
        "partial_update": "registry.change_route",
        "destroy": "registry.delete_route",
    }

    @extend_schema(request=RouteWrite, responses={201: RouteAnswer})
    def create(self, request: Request) -> Response:
        """Create a route; it goes before a model of the same name."""
        route = routes.create_route(
            actor=self.principal.actor,
            project=self.principal.project,
            **self.validated(RouteWrite),
        )
        return Response(RouteAnswer(route).data, status=201)

    @extend_schema(request=RouteWrite(partial=True), responses=RouteAnswer)
    def partial_update(self, request: Request, name: str) -> Response:
        """Change a route, from the next call on."""
        route = routes.update_route(
            actor=self.principal.actor,
            route=self.get_object(),
            changes=self.validated(RouteWrite, partial=True),
        )
        return Response(RouteAnswer(route).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, name: str) -> Response:
        """Delete a route; a model of its name answers to the name again."""
        routes.delete_route(actor=self.principal.actor, route=self.get_object())
        return Response(status=204)
