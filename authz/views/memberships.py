"""The endpoints of memberships: which people work in the project, and as what."""

from typing import Any
from uuid import UUID

from django.contrib.auth.models import Group, Permission
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from authz.api.views import ProjectViewSet
from authz.identity import memberships
from authz.identity.grants import named, permissions_named
from authz.models.projects import Membership
from authz.models.users import User
from intmod_site.api.errors import ValidationFailed
from intmod_site.api.fields import StrictSerializer, TextField


class MembershipChange(StrictSerializer):
    """What to change about a membership."""

    role = TextField(max_length=150, required=False)
    extra_permissions = serializers.ListField(
        child=TextField(max_length=150),
        required=False,
        max_length=200,
        help_text="All permissions beyond the role's, as app_label.codename.",
    )


class MembershipWrite(MembershipChange):
    """A person to let in."""

    username = TextField(max_length=150)
    role = TextField(max_length=150)


class MembershipAnswer(serializers.ModelSerializer[Membership]):
    """A person's place in the project."""

    user_id = serializers.UUIDField()
    username = serializers.CharField(source="user.username")
    role = serializers.CharField(source="role.name")
    is_active = serializers.BooleanField(source="user.is_active")
    extra_permissions = serializers.SerializerMethodField()

    class Meta:
        model = Membership
        fields = [
            "id", "user_id", "username", "role", "extra_permissions", "is_active", "created_at",
        ]  # fmt: skip

    def get_extra_permissions(self, instance: Membership) -> list[str]:
        """Name the permissions beyond the role's."""
        return sorted(named(list(instance.extra_permissions.all())))


class MembershipViewSet(ProjectViewSet):
    """People in the project; what is no person is at /auth/service-accounts."""

    queryset = (
        Membership.objects.filter(user__kind=User.Kind.HUMAN)
        .select_related("user", "project", "role")
        .prefetch_related("extra_permissions__content_type")
    )
    serializer_class = MembershipAnswer
    permissions = {
        "list": "authz.view_membership",
        "retrieve": "authz.view_membership",
        "create": "authz.add_membership",
        "partial_update": "authz.change_membership",
        "destroy": "authz.delete_membership",
    }

    @extend_schema(request=MembershipWrite, responses={201: MembershipAnswer})
    def create(self, request: Request) -> Response:
        """Let a person in, as somebody who may do no more than the caller."""
        body = self.validated(MembershipWrite)
        membership = self._save(_person(body["username"]), body, new=True)
        return Response(MembershipAnswer(membership).data, status=201)

    @extend_schema(request=MembershipChange, responses=MembershipAnswer)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Give a person another role or other permissions, from their next request on."""
        membership = self.get_object()
        body = self.validated(MembershipChange)
        changed = self._save(membership.user, {"role": membership.role.name} | body)
        return Response(MembershipAnswer(changed).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Let a person out: their next request is refused, and their keys end for good."""
        memberships.remove_membership(
            actor=self.principal.actor,
            membership=self.get_object(),
            held=frozenset(self.principal.permissions),
        )
        return Response(status=204)

    def _save(self, user: User, body: dict[str, Any], *, new: bool = False) -> Membership:
        extra = body.get("extra_permissions")
        saved = memberships.set_membership(
            actor=self.principal.actor,
            user=user,
            project=self.principal.project,
            role=_role(body["role"]),
            extra_permissions=None if extra is None else _permissions(extra),
            held=frozenset(self.principal.permissions),
            new=new,
        )
        return self.get_queryset().get(pk=saved.pk)


def _person(username: str) -> User:
    person = User.objects.filter(
        username=User.normalize_username(username), kind=User.Kind.HUMAN, is_active=True
    ).first()
    if person is None:
        raise ValidationFailed.of("username", "There is no such person.")
    return person


def _role(name: str) -> Group:
    role = Group.objects.filter(name=name).first()
    if role is None:
        raise ValidationFailed.of("role", "There is no such role.")
    return role


def _permissions(names: list[str]) -> list[Permission]:
    found = permissions_named(names)
    for index, name in enumerate(names):
        if name not in found:
            raise ValidationFailed.of(
                f"/extra_permissions/{index}", f"There is no permission called {name}."
            )
    return list(found.values())
