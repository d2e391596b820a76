"""Who may do what: roles, grants, and that nobody grants what they do not hold."""

from itertools import pairwise

import pytest
from django.contrib.auth.models import Group

from authz.identity.roles import ROLES
from authz.models import AuditEvent, Membership
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for


def client_of(member: Membership) -> ApiClient:
    return ApiClient(api_key_for(member))


def held(role: str) -> set[str]:
    return set(Group.objects.get(name=role).permissions.values_list("codename", flat=True))


def test_each_role_includes_the_ones_before_it(db: None) -> None:
    for smaller, larger in pairwise(ROLES):
        assert held(smaller) < held(larger)


def test_a_viewer_looks_a_developer_calls_an_operator_changes_an_admin_grants(db: None) -> None:
    assert "invoke_modelversion" in held("developer") - held("viewer")
    assert "change_modelversion" in held("operator") - held("developer")
    assert "change_membership" in held("admin") - held("operator")


def test_asking_and_granting(member: Membership) -> None:
    admin = client_of(member)
    other = MembershipFactory(project=member.project, role_name="viewer")
    question = {"user_id": str(other.user.pk), "permission": "registry.invoke_modelversion"}
    assert admin.ok("POST", "auth/permissions/check", question) == {"allowed": False}
    path = f"auth/users/{other.user.pk}/permissions"
    body = {"permission": "registry.invoke_modelversion"}
    assert body["permission"] in admin.ok("POST", path, body)["permissions"]
    assert admin.ok("POST", "auth/permissions/check", question) == {"allowed": True}
    assert body["permission"] not in admin.ok("DELETE", path, body)["permissions"]
    admin.refused(400, "DELETE", path, body)
    actions = AuditEvent.objects.values_list("action", flat=True)
    assert {"membership.grant", "membership.revoke"} <= set(actions)


def test_nobody_grants_what_they_do_not_hold(member: Membership) -> None:
    other = MembershipFactory(project=member.project, role_name="viewer")
    scoped = ApiClient(api_key_for(member, scopes=["authz.change_membership"]))
    path = f"auth/users/{other.user.pk}/permissions"
    scoped.refused(403, "POST", path, {"permission": "registry.invoke_modelversion"})
    assert not other.extra_permissions.exists()


@pytest.mark.parametrize(
    "permission", ["registry.fly", "x", "", "registry.", ".invoke_modelversion"]
)
def test_unknown_permissions_are_refused(member: Membership, permission: str) -> None:
    path = f"auth/users/{member.user.pk}/permissions"
    client_of(member).refused(400, "POST", path, {"permission": permission})


def test_members_of_other_projects_are_not_there(member: Membership) -> None:
    stranger = MembershipFactory()
    body = {"permission": "registry.invoke_modelversion"}
    client_of(member).refused(404, "POST", f"auth/users/{stranger.user.pk}/permissions", body)
    question = {"user_id": str(stranger.user.pk), **body}
    client_of(member).refused(404, "POST", "auth/permissions/check", question)
