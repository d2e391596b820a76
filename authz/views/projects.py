"""The endpoints of projects."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.views import ProjectViewSet
from authz.identity import members, memberships
from authz.models.projects import Project
from authz.models.users import User
from intmod_site.api.fields import StrictSerializer, TextField


class ProjectWrite(StrictSerializer):
    """A project to create, or what to change about one."""

    slug = TextField(max_length=63)
    name = TextField(max_length=150)


class ProjectAnswer(serializers.ModelSerializer[Project]):
    """A project."""

    class Meta:
        model = Project
        fields = ["id", "slug", "name", "is_active", "created_at"]


class ProjectsViewSet(ProjectViewSet):
    """The project that the credential is for; others need a credential of their own."""

    queryset: QuerySet[Project] = Project.objects.all()
    serializer_class = ProjectAnswer
    permissions = {
        "list": "authz.view_project",
        "retrieve": "authz.view_project",
        "create": "authz.add_project",
        "partial_update": "authz.change_project",
        "destroy": "authz.delete_project",
    }

    @extend_schema(request=ProjectWrite, responses={201: ProjectAnswer})
    def create(self, request: Request) -> Response:
        """Create a project with the caller as its admin; they log in to it by its slug."""
        caller, body = self.principal, self.validated(ProjectWrite)
        project = memberships.found_project(
            actor=caller.actor,
            founder=User.objects.select_related("owner").get(pk=caller.user_id),
            held=frozenset(caller.permissions),
            **body,
        )
        return Response(ProjectAnswer(project).data, status=201)

    @extend_schema(request=ProjectWrite(partial=True), responses=ProjectAnswer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Rename a project."""
        project = self.get_object()
        changes: dict[str, Any] = self.validated(ProjectWrite, partial=True)
        project = members.update_project(
            actor=self.principal.actor, project=project, changes=changes
        )
        return Response(ProjectAnswer(project).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Close a project: no credential of it counts any more; staff can open it again."""
        members.update_project(
            actor=self.principal.actor, project=self.get_object(), changes={"is_active": False}
        )
        return Response(status=204)
