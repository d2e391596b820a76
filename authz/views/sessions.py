"""The endpoints of sessions: who is logged in, and ending it."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.permissions import AUTHENTICATED
from authz.api.views import ProjectViewSet
from authz.identity import sessions
from authz.models.credentials import Session
from authz.views.serializers import SessionAnswer


class SessionViewSet(ProjectViewSet):
    """Logins in the project: all of them for those who may see them, else one's own.

    An API key does not reach its user's sessions without the permission: it may be narrower.
    """

    queryset = Session.objects.select_related("user", "project")
    serializer_class = SessionAnswer
    permissions = {
        "list": AUTHENTICATED,
        "retrieve": AUTHENTICATED,
        "destroy": AUTHENTICATED,
    }

    def get_queryset(self) -> QuerySet[Any]:
        """Those that the caller may see, or may end."""
        rows = super().get_queryset()
        if getattr(self, "swagger_fake_view", False):
            return rows
        caller = self.principal
        if caller.has("authz.delete_session" if self.action == "destroy" else "authz.view_session"):
            return rows
        if not caller.credential.startswith("session:"):
            return rows.none()
        return rows.filter(user_id=caller.user_id)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """End a session: the next request with one of its tokens is refused."""
        sessions.end_session(
            session=self.get_object(), actor=self.principal.actor, reason="revoked"
        )
        return Response(status=204)
