"""The identity endpoints."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.permissions import ANYONE, AUTHENTICATED
from authz.api.request_limits import limit_token_request
from authz.api.views import ProjectView, ProjectViewSet
from authz.identity import grants, keys, sessions
from authz.identity.key_bounds import Bounds
from authz.identity.principal import permissions_of
from authz.models.credentials import APIKey
from authz.models.projects import Membership
from authz.models.users import User
from authz.views import serializers
from intmod_site.client_address import client_address


class TokenRouteView(ProjectView):
    """A route that needs no credential, because it is about one."""

    permissions = {"post": ANYONE}
    authentication_classes = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Let in what the address may still ask."""
        limit_token_request(client_address(request))
        super().initial(request, *args, **kwargs)


class TokenView(TokenRouteView):
    """Logging in."""

    @extend_schema(request=serializers.TokenRequest, responses=serializers.TokenAnswer, auth=[])
    def post(self, request: Request) -> Response:
        """Exchange name and password for an access and a refresh token."""
        body = self.validated(serializers.TokenRequest)
        return Response(asdict(sessions.log_in(**body, address=client_address(request))))


class TokenRefreshView(TokenRouteView):
    """Staying logged in."""

    @extend_schema(request=serializers.RefreshRequest, responses=serializers.TokenAnswer, auth=[])
    def post(self, request: Request) -> Response:
        """Exchange a refresh token for a new pair; each counts once."""
        body = self.validated(serializers.RefreshRequest)
        pair = sessions.refresh(token=body["refresh"], address=client_address(request))
        return Response(asdict(pair))


class TokenRevokeView(TokenRouteView):
    """Logging out."""

    @extend_schema(request=serializers.OneToken, responses=serializers.RevokeAnswer, auth=[])
    def post(self, request: Request) -> Response:
        """End the session that a token belongs to; its access tokens end with it."""
        body = self.validated(serializers.OneToken)
        return Response({"revoked": sessions.revoke(token=body["token"])})


class TokenVerifyView(TokenRouteView):
    """Asking about a token."""

    @extend_schema(request=serializers.OneToken, responses=serializers.VerifyAnswer, auth=[])
    def post(self, request: Request) -> Response:
        """Say whether a token counts now."""
        return Response(sessions.inspect(token=self.validated(serializers.OneToken)["token"]))


class MeView(ProjectView):
    """Asking who one is."""

    permissions = {"get": AUTHENTICATED}

    @extend_schema(responses=serializers.MeAnswer)
    def get(self, request: Request) -> Response:
        """Give the caller's user, project, role and permissions."""
        caller = self.principal
        membership = Membership.objects.select_related("role").get(pk=caller.membership_id)
        return Response(
            {
                "user_id": caller.user_id,
                "username": caller.label,
                "kind": caller.kind,
                "project": caller.project_slug,
                "role": membership.role.name,
                "credential": caller.credential,
                "permissions": sorted(caller.permissions),
            }
        )


class PermissionCheckView(ProjectView):
    """Asking what a member may do."""

    permissions = {"post": "authz.view_membership"}

    @extend_schema(request=serializers.PermissionQuestion, responses=serializers.PermissionAnswer)
    def post(self, request: Request) -> Response:
        """Say whether a member of this project holds a permission."""
        body = self.validated(serializers.PermissionQuestion)
        membership = _member(self, body["user_id"])
        return Response(
            {
                "allowed": grants.check_permission(
                    membership=membership, permission=body["permission"]
                )
            }
        )


class UserPermissionView(ProjectView):
    """Permissions beyond a member's role."""

    permissions = {"post": "authz.change_membership", "delete": "authz.change_membership"}

    @extend_schema(request=serializers.PermissionGrant, responses=serializers.PermissionList)
    def post(self, request: Request, user_id: UUID) -> Response:
        """Grant a member a permission that the caller holds."""
        membership = _member(self, user_id)
        grants.add_user_permission(
            actor=self.principal.actor,
            membership=membership,
            permission=self.validated(serializers.PermissionGrant)["permission"],
            held=frozenset(self.principal.permissions),
        )
        return _held(membership)

    @extend_schema(request=serializers.PermissionGrant, responses={200: serializers.PermissionList})
    def delete(self, request: Request, user_id: UUID) -> Response:
        """Take back a permission granted beyond the role."""
        membership = _member(self, user_id)
        grants.remove_user_permission(
            actor=self.principal.actor,
            membership=membership,
            permission=self.validated(serializers.PermissionGrant)["permission"],
            held=frozenset(self.principal.permissions),
        )
        return _held(membership)


class APIKeyViewSet(ProjectViewSet):
    """The project's API keys."""

    queryset = APIKey.objects.select_related("user", "project")
    serializer_class = serializers.APIKeyAnswer
    permissions = {
        "list": "authz.view_apikey",
        "retrieve": "authz.view_apikey",
        "create": "authz.add_apikey",
        "partial_update": "authz.change_apikey",
        "destroy": "authz.delete_apikey",
        "rotate": "authz.change_apikey",
    }

    @extend_schema(request=serializers.APIKeyWrite, responses={201: serializers.APIKeyCreated})
    def create(self, request: Request) -> Response:
        """Issue a key to the caller; its text is in this answer only."""
        caller = self.principal
        key, text = keys.create_api_key(
            actor=caller.actor,
            user=User.objects.get(pk=caller.user_id),
            project=caller.project,
            held=frozenset(caller.permissions),
            within=Bounds.of(caller),
            **self.validated(serializers.APIKeyWrite),
        )
        return Response(serializers.APIKeyCreated(key, context={"key": text}).data, status=201)

    @extend_schema(
        request=serializers.APIKeyWrite(partial=True), responses=serializers.APIKeyAnswer
    )
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Rename a key, or change its scopes, networks or expiry."""
        key = keys.update_api_key(
            actor=self.principal.actor,
            key=self.get_object(),
            held=frozenset(self.principal.permissions),
            changes=self.validated(serializers.APIKeyWrite, partial=True),
            within=Bounds.of(self.principal),
        )
        return Response(serializers.APIKeyAnswer(key).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Revoke a key: its very next request is refused."""
        keys.revoke_api_key(actor=self.principal.actor, key=self.get_object())
        return Response(status=204)

    @extend_schema(request=serializers.APIKeyRotate, responses=serializers.APIKeyCreated)
    def rotate(self, request: Request, pk: UUID) -> Response:
        """Give a key a new text, shown once; the one before counts for a while."""
        caller, key = self.principal, self.get_object()
        key, text = keys.rotate_api_key(
            actor=caller.actor,
            key=key,
            held=frozenset(caller.permissions),
            within=Bounds.of(caller),
            **self.validated(serializers.APIKeyRotate),
        )
        return Response(serializers.APIKeyCreated(key, context={"key": text}).data)


def _member(view: ProjectView, user_id: UUID) -> Membership:
    rows = Membership.objects.select_related("user", "project")
    return get_object_or_404(rows, user_id=user_id, project_id=view.principal.project_id)


def _held(membership: Membership) -> Response:
    return Response({"permissions": sorted(permissions_of(membership.pk, membership.role_id))})
