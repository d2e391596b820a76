"""The endpoints of service accounts."""

from uuid import UUID

from django.contrib.auth.models import Group
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.views import ProjectViewSet
from authz.identity import grants, keys, service_accounts
from authz.identity.key_bounds import Bounds
from authz.identity.roles import ROLES
from authz.models.projects import Membership
from authz.models.users import User
from authz.views.serializers import APIKeyCreated, APIKeyWrite
from intmod_site.api.errors import ValidationFailed
from intmod_site.api.fields import ChoiceField, FlagField, StrictSerializer, TextField


class ServiceAccountChange(StrictSerializer):
    """What to change about an account."""

    role = ChoiceField(choices=ROLES, required=False)
    owner = serializers.UUIDField(required=False, help_text="A person's user id.")
    is_active = FlagField(required=False)


class ServiceAccountWrite(StrictSerializer):
    """An account to create."""

    username = TextField(max_length=150)
    role = ChoiceField(choices=ROLES)
    owner = serializers.UUIDField(
        required=False, help_text="A person's user id; the caller if omitted."
    )


class ServiceAccountAnswer(serializers.ModelSerializer[Membership]):
    """An account, as it works in this project."""

    id = serializers.UUIDField(source="user_id")
    username = serializers.CharField(source="user.username")
    role = serializers.CharField(source="role.name")
    owner = serializers.UUIDField(source="user.owner_id")
    is_active = serializers.BooleanField(source="user.is_active")

    class Meta:
        model = Membership
        fields = ["id", "username", "role", "owner", "is_active", "created_at"]


class ServiceAccountViewSet(ProjectViewSet):
    """What works in the project without being a person."""

    queryset = Membership.objects.filter(user__kind=User.Kind.SERVICE).select_related(
        "user", "project", "role"
    )
    serializer_class = ServiceAccountAnswer
    lookup_field = "user_id"
    lookup_url_kwarg = "pk"
    permissions = {
        "list": "authz.view_membership",
        "retrieve": "authz.view_membership",
        "create": "authz.add_membership",
        "partial_update": "authz.change_membership",
        "destroy": "authz.delete_membership",
        "issue_key": "authz.change_membership",
    }

    @extend_schema(request=ServiceAccountWrite, responses={201: ServiceAccountAnswer})
    def create(self, request: Request) -> Response:
        """Create an account that works in this project; it has no password."""
        body = self.validated(ServiceAccountWrite)
        caller = self.principal
        account = service_accounts.create_service_account(
            actor=caller.actor,
            project=caller.project,
            username=body["username"],
            owner=self._person(body.get("owner", caller.user_id)),
            role=Group.objects.get(name=body["role"]),
            held=frozenset(caller.permissions),
        )
        return Response(ServiceAccountAnswer(account).data, status=201)

    @extend_schema(request=ServiceAccountChange, responses=ServiceAccountAnswer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Give an account another owner or role, or switch it off or on."""
        membership = self.get_object()
        body = self.validated(ServiceAccountChange)
        changed = service_accounts.update_service_account(
            actor=self.principal.actor,
            membership=membership,
            held=frozenset(self.principal.permissions),
            owner=self._person(body["owner"]) if "owner" in body else None,
            role=Group.objects.get(name=body["role"]) if "role" in body else None,
            is_active=body.get("is_active"),
        )
        return Response(ServiceAccountAnswer(changed).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """End an account's work in this project, and its keys."""
        service_accounts.delete_service_account(
            actor=self.principal.actor,
            membership=self.get_object(),
            held=frozenset(self.principal.permissions),
        )
        return Response(status=204)

    @extend_schema(request=APIKeyWrite, responses={201: APIKeyCreated})
    def issue_key(self, request: Request, pk: UUID) -> Response:
        """Issue a key to an account; its text is in this answer only."""
        caller, membership = self.principal, self.get_object()
        held = frozenset(caller.permissions)
        grants.check_reach(membership, held)
        key, text = keys.create_api_key(
            actor=caller.actor,
            user=membership.user,
            project=membership.project,
            held=held,
            within=Bounds.of(caller),
            **self.validated(APIKeyWrite),
        )
        return Response(APIKeyCreated(key, context={"key": text}).data, status=201)

    def _person(self, user_id: UUID) -> User:
        person = User.objects.filter(
            pk=user_id, memberships__project_id=self.principal.project_id
        ).first()
        if person is None:
            raise ValidationFailed.of("owner", "There is no such member in this project.")
        return person
