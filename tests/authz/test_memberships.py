"""Memberships over the API: who is let in as what, and that nobody hands out what they lack."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authz.models import AuditEvent, Membership, User
from tests.api_client import ApiClient, lasting
from tests.factories.authz import MembershipFactory, UserFactory, api_key_for

PATH = "auth/memberships"
INVOKE = "registry.invoke_modelversion"


@pytest.fixture
def bob(db: None) -> User:
    return UserFactory(username="bob")  # type: ignore[no-any-return]


@pytest.fixture
def place(with_key: ApiClient, bob: User) -> dict[str, Any]:
    return dict(with_key.ok("POST", PATH, {"username": "bob", "role": "viewer"}))


def test_a_person_is_let_in_changed_and_let_out(
    with_key: ApiClient, place: dict[str, Any], bob: User
) -> None:
    path = f"{PATH}/{place['id']}"
    assert (place["username"], place["role"], place["extra_permissions"]) == ("bob", "viewer", [])
    assert with_key.ok("GET", path) == place
    assert place in with_key.ok("GET", PATH)["results"]
    client = ApiClient(api_key_for(Membership.objects.get(pk=place["id"])))
    client.refused(403, "GET", PATH)
    with_key.ok("PATCH", path, {"role": "operator"})
    client.ok("GET", PATH)
    changed = with_key.ok("PATCH", path, {"role": "viewer", "extra_permissions": [INVOKE]})
    assert changed["extra_permissions"] == [INVOKE]
    assert INVOKE in client.ok("GET", "auth/me")["permissions"]
    client.refused(403, "GET", PATH)
    with_key.ok("DELETE", path)
    client.refused(401, "GET", "auth/me")
    with_key.refused(404, "GET", path)
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"membership.create", "membership.update", "membership.delete"} <= actions


def test_a_changed_role_permission_counts_at_once(
    with_key: ApiClient, place: dict[str, Any]
) -> None:
    role = Group.objects.create(name="reader")
    role.permissions.set(Permission.objects.filter(codename="view_membership"))
    with_key.ok("PATCH", f"{PATH}/{place['id']}", {"role": "reader"})
    client = ApiClient(api_key_for(Membership.objects.get(pk=place["id"])))
    client.ok("GET", PATH)
    client.refused(403, "GET", "registry/models")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"role": "viewer"}, "/username"),
        ({"username": "nobody", "role": "viewer"}, "/username"),
        ({"username": "b\u0000b", "role": "viewer"}, "/"),
        ({"username": "bob"}, "/role"),
        ({"username": "bob", "role": "king"}, "/role"),
        ({"username": "bob", "role": 5}, "/role"),
        ({"username": "bob", "role": "viewer", "extra_permissions": ["x"]}, "/extra_permissions/0"),
        (
            {"username": "bob", "role": "viewer", "extra_permissions": [INVOKE, "registry.fly"]},
            "/extra_permissions/1",
        ),
        ({"username": "bob", "role": "viewer", "extra_permissions": INVOKE}, "/extra_permissions"),
        ({"username": "bob", "role": "viewer", "project": str(uuid4())}, "/project"),
    ],
)
def test_odd_memberships_are_refused(
    with_key: ApiClient, bob: User, body: dict[str, Any], path: str
) -> None:
    envelope = with_key.refused(400, "POST", PATH, body)
    if path != "/":
        assert envelope["error_details"]["fields"][0]["path"] == path
    assert Membership.objects.count() == 1


def test_a_member_is_let_in_once(with_key: ApiClient, place: dict[str, Any]) -> None:
    with_key.refused(409, "POST", PATH, {"username": "BOB", "role": "admin"})
    assert with_key.ok("GET", f"{PATH}/{place['id']}") == place


def test_nobody_lets_in_somebody_who_can_do_more(member: Membership, bob: User) -> None:
    scopes = ["authz.add_membership", "authz.change_membership", "authz.delete_membership"]
    narrow = ApiClient(api_key_for(member, scopes=scopes))
    narrow.refused(403, "POST", PATH, {"username": "bob", "role": "viewer"})
    role = Group.objects.create(name="empty")
    body = {"username": "bob", "role": role.name, "extra_permissions": [INVOKE]}
    narrow.refused(403, "POST", PATH, body)
    assert not bob.memberships.exists()
    place = narrow.ok("POST", PATH, body | {"extra_permissions": [scopes[0]]})
    path = f"{PATH}/{place['id']}"
    narrow.refused(403, "PATCH", path, {"role": "admin"})
    narrow.refused(403, "PATCH", path, {"extra_permissions": [scopes[0], INVOKE]})
    assert narrow.ok("PATCH", path, {"extra_permissions": []})["extra_permissions"] == []


def test_nobody_changes_or_ends_who_can_do_more(member: Membership) -> None:
    other = MembershipFactory(project=member.project, role_name="admin")
    scopes = ["authz.view_membership", "authz.change_membership", "authz.delete_membership"]
    narrow = ApiClient(api_key_for(member, scopes=scopes))
    path = f"{PATH}/{other.pk}"
    narrow.refused(403, "PATCH", path, {"role": "viewer"})
    narrow.refused(403, "PATCH", path, {"extra_permissions": scopes})
    narrow.refused(403, "DELETE", path)
    other.refresh_from_db()
    assert other.role.name == "admin"


def test_nobody_raises_themselves(member: Membership) -> None:
    clerk = MembershipFactory(project=member.project, role_name="viewer")
    clerk.extra_permissions.set(Permission.objects.filter(codename="change_membership"))
    client = ApiClient(api_key_for(clerk))
    client.refused(403, "PATCH", f"{PATH}/{clerk.pk}", {"role": "operator"})
    client.refused(403, "PATCH", f"{PATH}/{clerk.pk}", {"extra_permissions": [INVOKE]})
    path = f"auth/users/{clerk.user.pk}/permissions"
    client.refused(403, "POST", path, {"permission": INVOKE})


def test_the_last_admin_stays(with_key: ApiClient, member: Membership) -> None:
    path = f"{PATH}/{member.pk}"
    for method, body in (("PATCH", {"role": "operator"}), ("DELETE", None)):
        envelope = with_key.refused(409, method, path, body)
        assert "last admin" in envelope["error"]
    assert Membership.objects.get(pk=member.pk).role.name == "admin"
    MembershipFactory(project=member.project, role_name="admin", user__is_active=False)
    with_key.refused(409, "DELETE", path)
    MembershipFactory(project=member.project, role_name="admin")
    with_key.ok("DELETE", path)


def test_the_last_admin_may_become_one_beyond_another_role(
    with_key: ApiClient, member: Membership
) -> None:
    body = {"role": "operator", "extra_permissions": ["authz.change_membership"]}
    assert with_key.ok("PATCH", f"{PATH}/{member.pk}", body)["role"] == "operator"
    without = {"extra_permissions": []}
    with_key.refused(409, "PATCH", f"{PATH}/{member.pk}", without)


def test_memberships_of_another_project_are_not_there(with_key: ApiClient) -> None:
    theirs, missing = MembershipFactory(), uuid4()
    for method, body in (("GET", None), ("PATCH", {"role": "viewer"}), ("DELETE", None)):
        answers = [
            with_key.refused(404, method, f"{PATH}/{pk}", body) for pk in (theirs.pk, missing)
        ]
        assert lasting(answers[0]) == lasting(answers[1])
    listed = with_key.ok("GET", PATH)["results"]
    assert str(theirs.pk) not in str(listed)


def test_service_accounts_are_no_people(with_key: ApiClient, member: Membership) -> None:
    account = with_key.ok("POST", "auth/service-accounts", {"username": "ci", "role": "viewer"})
    place = Membership.objects.get(user_id=account["id"])
    with_key.refused(404, "GET", f"{PATH}/{place.pk}")
    with_key.refused(400, "POST", PATH, {"username": "ci", "role": "viewer"})


def test_a_list_asks_as_often_for_many_as_for_one(with_key: ApiClient, member: Membership) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as captured:
            with_key.ok("GET", PATH)
        return len(captured)

    member.extra_permissions.set(Permission.objects.filter(codename="view_user"))
    count()
    before = count()
    for _ in range(5):
        more = MembershipFactory(project=member.project)
        more.extra_permissions.set(Permission.objects.filter(codename__endswith="user"))
    assert count() == before
