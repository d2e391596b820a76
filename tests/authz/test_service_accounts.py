"""Service accounts over the API: an owner, keys, no password, no more than their maker may do."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from authz.models import APIKey, AuditEvent, Membership, User
from tests.api_client import ApiClient
from tests.factories.authz import PASSWORD, MembershipFactory, api_key_for

PATH = "auth/service-accounts"


@pytest.fixture
def account(with_key: ApiClient) -> dict[str, Any]:
    return dict(with_key.ok("POST", PATH, {"username": "ci", "role": "operator"}))


def issue(client: ApiClient, account: dict[str, Any], **body: Any) -> dict[str, Any]:
    return dict(client.ok("POST", f"{PATH}/{account['id']}/api-keys", {"name": "ci", **body}))


def test_an_account_works_with_a_key_only(
    with_key: ApiClient, account: dict[str, Any], member: Membership
) -> None:
    assert account["owner"] == str(member.user.pk)
    me = ApiClient(issue(with_key, account)["key"]).ok("GET", "auth/me")
    assert (me["username"], me["kind"], me["role"]) == ("ci", "service", "operator")
    body = {"username": "ci", "password": PASSWORD}
    ApiClient().refused(401, "POST", "auth/token", body)
    user = User.objects.get(username="ci")
    assert not user.has_usable_password()
    client = Client()
    client.force_login(user)
    assert client.get("/admin/").status_code == 302
    assert AuditEvent.objects.filter(action="user.create", object_id=account["id"]).exists()


def test_only_accounts_are_listed(with_key: ApiClient, account: dict[str, Any]) -> None:
    assert with_key.ok("GET", PATH)["results"] == [account]
    assert with_key.ok("GET", f"{PATH}/{account['id']}") == account
    person = User.objects.get(username="ada")
    with_key.refused(404, "GET", f"{PATH}/{person.pk}")


def test_changes_count_at_once(with_key: ApiClient, account: dict[str, Any]) -> None:
    client = ApiClient(issue(with_key, account)["key"])
    path = f"{PATH}/{account['id']}"
    with_key.ok("PATCH", path, {"role": "viewer"})
    client.refused(403, "POST", "auth/api-keys", {"name": "x"})
    with_key.ok("PATCH", path, {"is_active": False})
    client.refused(401, "GET", "auth/me")
    with_key.ok("PATCH", path, {"is_active": True})
    client.ok("GET", "auth/me")
    with_key.ok("DELETE", path)
    client.refused(401, "GET", "auth/me")
    with_key.refused(404, "GET", path)
    assert not User.objects.get(username="ci").is_active
    assert APIKey.objects.get(user__username="ci").revoked_at


def test_nobody_makes_an_account_that_can_do_more(member: Membership) -> None:
    scopes = ["authz.add_membership", "authz.change_membership", "authz.delete_membership"]
    narrow = ApiClient(api_key_for(member, scopes=scopes))
    narrow.refused(403, "POST", PATH, {"username": "ci", "role": "viewer"})
    assert not User.objects.filter(username="ci").exists()
    admin = ApiClient(api_key_for(member))
    made = admin.ok("POST", PATH, {"username": "ci", "role": "operator"})
    path = f"{PATH}/{made['id']}"
    narrow.refused(403, "PATCH", path, {"role": "admin"})
    narrow.refused(403, "DELETE", path)
    narrow.refused(403, "POST", f"{path}/api-keys", {"name": "x"})
    assert admin.ok("GET", path) == made


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"role": "viewer"}, "/username"),
        ({"username": "x y", "role": "viewer"}, "/username"),
        ({"username": "ADA", "role": "viewer"}, "/username"),
        ({"username": "x", "role": "king"}, "/role"),
        ({"username": "x", "role": 5}, "/role"),
        ({"username": "x", "role": "viewer", "owner": str(uuid4())}, "/owner"),
        ({"username": "x", "role": "viewer", "password": PASSWORD}, "/password"),
    ],
)
def test_odd_accounts_are_refused(with_key: ApiClient, body: dict[str, Any], path: str) -> None:
    envelope = with_key.refused(400, "POST", PATH, body)
    assert envelope["error_details"]["fields"][0]["path"] == path
    assert User.objects.count() == 1


def test_the_owner_is_a_person_of_this_project(
    with_key: ApiClient, account: dict[str, Any]
) -> None:
    stranger = MembershipFactory().user
    for owner in (str(stranger.pk), account["id"]):
        body = {"username": "x", "role": "viewer", "owner": owner}
        with_key.refused(400, "POST", PATH, body)
        with_key.refused(400, "PATCH", f"{PATH}/{account['id']}", {"owner": owner})


def test_an_account_of_several_projects_is_switched_off_by_staff_only(
    with_key: ApiClient, account: dict[str, Any]
) -> None:
    place = MembershipFactory(user=User.objects.get(username="ci"))
    elsewhere = ApiClient(api_key_for(place))
    with_key.refused(409, "PATCH", f"{PATH}/{account['id']}", {"is_active": False})
    with_key.ok("DELETE", f"{PATH}/{account['id']}")
    elsewhere.ok("GET", "auth/me")


def test_accounts_of_another_project_are_not_there(with_key: ApiClient) -> None:
    theirs = MembershipFactory(role_name="admin")
    other = ApiClient(api_key_for(theirs))
    made = other.ok("POST", PATH, {"username": "robot", "role": "viewer"})
    path, missing = f"{PATH}/{made['id']}", f"{PATH}/{uuid4()}"
    for method, tail, body in (
        ("GET", "", None), ("PATCH", "", {}), ("DELETE", "", None), ("POST", "/api-keys", {}),
    ):  # fmt: skip
        answers = [with_key.refused(404, method, one + tail, body) for one in (path, missing)]
        assert answers[0]["error"] == answers[1]["error"]
        assert answers[0]["error_details"] == answers[1]["error_details"]
