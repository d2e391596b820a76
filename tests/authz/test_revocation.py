"""What ends a credential ends it on the very next request."""

from collections.abc import Callable

import pytest
from django.utils import timezone

from authz.identity.grants import add_user_permission, remove_user_permission
from authz.identity.members import update_user
from authz.identity.memberships import remove_membership, set_membership
from authz.identity.role_changes import update_role
from authz.identity.roles import role_named
from authz.models import APIKey, Membership
from tests.api_client import ApiClient
from tests.authz.conftest import LogIn
from tests.factories.authz import ACTOR, api_key_for


def deactivate_user(member: Membership) -> None:
    member.user.is_active = False
    member.user.save()


def deactivate_project(member: Membership) -> None:
    member.project.is_active = False
    member.project.save()


def leave(member: Membership) -> None:
    member.delete()


def delete_user(member: Membership) -> None:
    member.user.delete()


@pytest.mark.parametrize("end", [deactivate_user, deactivate_project, leave, delete_user])
@pytest.mark.parametrize("kind", ["key", "token"])
def test_the_end_of_a_membership_ends_its_credentials(
    log_in: LogIn, member: Membership, end: Callable[[Membership], None], kind: str
) -> None:
    api = ApiClient(api_key_for(member) if kind == "key" else log_in()["access"])
    api.ok("GET", "auth/me")
    end(member)
    api.refused(401, "GET", "auth/me")


def test_logging_out_ends_access_tokens_too(log_in: LogIn, anonymous: ApiClient) -> None:
    for which in ("access", "refresh"):
        pair = log_in()
        answer = anonymous.ok("POST", "auth/token/revoke", {"token": pair[which]})
        assert answer == {"revoked": True}
        ApiClient(pair["access"]).refused(401, "GET", "auth/me")
        anonymous.refused(401, "POST", "auth/token/refresh", {"refresh": pair["refresh"]})
    assert anonymous.ok("POST", "auth/token/revoke", {"token": "x"}) == {"revoked": False}


def test_a_new_password_ends_the_sessions_before_it(log_in: LogIn, member: Membership) -> None:
    pair = log_in()
    member.user.refresh_from_db()
    member.user.set_password("another horse battery staple")
    member.user.save()
    ApiClient(pair["access"]).refused(401, "GET", "auth/me")


def test_a_revoked_key_is_refused(with_key: ApiClient) -> None:
    key = with_key.ok("GET", "auth/api-keys")["results"][0]
    with_key.ok("DELETE", f"auth/api-keys/{key['id']}")
    with_key.refused(401, "GET", "auth/me")


def test_an_expired_key_is_refused(with_key: ApiClient) -> None:
    with_key.ok("GET", "auth/me")
    APIKey.objects.update(expires_at=timezone.now())
    with_key.refused(401, "GET", "auth/me")


def new_password(member: Membership) -> None:
    update_user(actor=ACTOR, user=member.user, changes={}, password="another horse battery staple")


@pytest.mark.parametrize(
    "end", [deactivate_user, deactivate_project, leave, delete_user, new_password]
)
def test_nothing_is_refreshed_afterwards(
    log_in: LogIn, member: Membership, anonymous: ApiClient, end: Callable[[Membership], None]
) -> None:
    """The codec alone answers 200 after a new password, and 500 for a user who is gone."""
    pair = log_in()
    member.user.refresh_from_db()
    end(member)
    anonymous.refused(401, "POST", "auth/token/refresh", {"refresh": pair["refresh"]})
    for token in pair["access"], pair["refresh"]:
        told = anonymous.ok("POST", "auth/token/verify", {"token": token})
        assert told == {"active": False, "claims": None}
    ApiClient(pair["access"]).refused(401, "GET", "auth/me")


@pytest.fixture(params=["key", "token"])
def api(request: pytest.FixtureRequest, log_in: LogIn, member: Membership) -> ApiClient:
    """Call by an API key, then by an access token, issued before anything changes."""
    return ApiClient(api_key_for(member) if request.param == "key" else log_in()["access"])


def test_a_changed_role_counts_at_once(api: ApiClient, member: Membership) -> None:
    api.ok("GET", "audit/events")
    set_membership(actor=ACTOR, user=member.user, project=member.project, role=role_named("viewer"))
    api.refused(403, "GET", "audit/events")
    set_membership(actor=ACTOR, user=member.user, project=member.project, role=role_named("admin"))
    api.ok("GET", "audit/events")


def test_what_a_role_may_do_counts_at_once(api: ApiClient) -> None:
    api.ok("GET", "audit/events")
    role = role_named("admin")
    rest = role.permissions.exclude(codename="view_auditevent")
    update_role(actor=ACTOR, role=role, changes={"permissions": list(rest)}, held=None)
    api.refused(403, "GET", "audit/events")


def test_a_granted_permission_counts_at_once_and_so_does_taking_it_back(
    api: ApiClient, member: Membership
) -> None:
    set_membership(actor=ACTOR, user=member.user, project=member.project, role=role_named("viewer"))
    permission = "authz.view_auditevent"
    api.refused(403, "GET", "audit/events")
    add_user_permission(
        actor=ACTOR, membership=member, permission=permission, held=frozenset({permission})
    )
    api.ok("GET", "audit/events")
    remove_user_permission(actor=ACTOR, membership=member, permission=permission)
    api.refused(403, "GET", "audit/events")


def test_verify_says_what_counts_now(log_in: LogIn, anonymous: ApiClient) -> None:
    pair = log_in()
    answer = anonymous.ok("POST", "auth/token/verify", {"token": pair["access"]})
    assert answer["active"] is True
    assert answer["claims"]["project"] == "shop"
    anonymous.ok("POST", "auth/token/revoke", {"token": pair["access"]})
    for token in (pair["access"], pair["refresh"], "x"):
        answer = anonymous.ok("POST", "auth/token/verify", {"token": token})
        assert answer == {"active": False, "claims": None}


def test_coming_back_does_not_bring_old_credentials_back(log_in: LogIn, member: Membership) -> None:
    credentials = [api_key_for(member), log_in()["access"]]
    remove_membership(actor=ACTOR, membership=member)
    set_membership(actor=ACTOR, user=member.user, project=member.project, role=role_named("viewer"))
    for credential in credentials:
        ApiClient(credential).refused(401, "GET", "auth/me")
