"""Logging in: for whom, into what, for how long."""

from typing import Any

import jwt
import pytest
from django.contrib.auth.hashers import make_password

from authz.models import AuditEvent, Membership, Session
from tests.api_client import ApiClient
from tests.authz.conftest import LogIn
from tests.factories.authz import PASSWORD, MembershipFactory, api_key_for


def test_a_login_gives_tokens_for_one_project(log_in: LogIn, member: Membership) -> None:
    answer = log_in()
    assert (answer["project"], answer["expires_in"]) == ("shop", 900)
    me = ApiClient(answer["access"]).ok("GET", "auth/me")
    assert (me["username"], me["project"], me["role"]) == ("ada", "shop", "admin")
    assert me["permissions"] == answer["permissions"]
    assert Session.objects.get().user == member.user


@pytest.mark.parametrize("typed", ["ADA", "Ada", "\uff41\uff44\uff41"])
def test_a_name_is_the_same_however_it_is_typed(log_in: LogIn, typed: str) -> None:
    assert log_in(username=typed)["project"] == "shop"


@pytest.mark.parametrize("wrong", [{"password": "wrong"}, {"username": "nobody"}])
def test_a_wrong_pair_is_refused_and_recorded(
    anonymous: ApiClient, member: Membership, wrong: dict[str, str]
) -> None:
    body = {"username": "ada", "password": PASSWORD, **wrong}
    envelope = anonymous.refused(401, "POST", "auth/token", body)
    assert envelope["error"] == "Name and password do not belong together."
    denial = AuditEvent.objects.get(outcome="denied")
    assert (denial.action, denial.actor_label) == ("session.create", body["username"])
    assert PASSWORD not in str(denial.changes)


def test_an_inactive_user_is_refused(anonymous: ApiClient, member: Membership) -> None:
    member.user.is_active = False
    member.user.save()
    anonymous.refused(401, "POST", "auth/token", {"username": "ada", "password": PASSWORD})


def test_members_of_several_projects_name_one(
    log_in: LogIn, anonymous: ApiClient, member: Membership
) -> None:
    MembershipFactory(user=member.user, project__slug="bank")
    body = {"username": "ada", "password": PASSWORD}
    envelope = anonymous.refused(400, "POST", "auth/token", body)
    assert envelope["error_details"]["fields"][0]["path"] == "/project"
    assert log_in(project="bank")["project"] == "bank"
    anonymous.refused(400, "POST", "auth/token", {**body, "project": "elsewhere"})


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"expires_in": 0}, "/expires_in"),
        ({"expires_in": 3601}, "/expires_in"),
        ({"expires_in": "60"}, "/expires_in"),
        ({"scopes": ["registry.fly"]}, "/scopes/0"),
        ({"scopes": "all"}, "/scopes"),
        ({"password": 5}, "/password"),
        ({"extra": 1}, "/extra"),
    ],
)
def test_odd_wishes_are_refused_by_field(
    anonymous: ApiClient, member: Membership, fields: dict[str, Any], path: str
) -> None:
    body = {"username": "ada", "password": PASSWORD, **fields}
    envelope = anonymous.refused(400, "POST", "auth/token", body)
    assert envelope["error_details"]["fields"][0]["path"] == path
    assert not Session.objects.exists()


def test_scopes_narrow_what_a_token_may_do(log_in: LogIn) -> None:
    answer = log_in(scopes=["registry.view_registeredmodel"], expires_in=60)
    assert (answer["permissions"], answer["expires_in"]) == (["registry.view_registeredmodel"], 60)
    api = ApiClient(answer["access"])
    api.ok("GET", "registry/models")
    api.refused(403, "GET", "auth/api-keys")


def test_a_claim_never_widens_what_the_database_says(log_in: LogIn, member: Membership) -> None:
    access = log_in(scopes=["registry.view_registeredmodel"])["access"]
    claims = jwt.decode(access, options={"verify_signature": False})
    assert claims["permissions"] == ["registry.view_registeredmodel"]
    MembershipFactory._meta.model.objects.filter(pk=member.pk).delete()
    ApiClient(access).refused(401, "GET", "registry/models")


def test_a_password_under_an_older_hash_logs_in_and_is_hashed_anew(
    log_in: LogIn, member: Membership
) -> None:
    member.user.password = make_password(PASSWORD, hasher="pbkdf2_sha256")
    member.user.save()
    ApiClient(log_in()["access"]).ok("GET", "auth/me")
    member.user.refresh_from_db()
    assert not member.user.password.startswith("pbkdf2")


def test_each_door_has_its_own_credential(member: Membership) -> None:
    member.user.is_staff = member.user.is_superuser = True
    member.user.save()
    browser, caller = ApiClient(), ApiClient(api_key_for(member))
    browser.force_login(member.user)
    assert browser.call("GET", "/admin/").status_code == 200
    browser.refused(401, "GET", "auth/me")
    caller.ok("GET", "auth/me")
    assert caller.call("GET", "/admin/").status_code == 302
