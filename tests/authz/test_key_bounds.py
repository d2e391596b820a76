"""A key hands on nothing wider than itself, and nothing that lives longer."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from authz.models import APIKey, Membership
from tests.api_client import ApiClient
from tests.factories.authz import api_key_for

KEYS = ["authz.add_apikey", "authz.change_apikey", "authz.view_apikey"]
VIEW = "registry.view_registeredmodel"


@pytest.fixture
def end() -> datetime:
    return timezone.now() + timedelta(days=1)


@pytest.fixture
def brief(member: Membership, end: datetime) -> ApiClient:
    """Use a key that ends tomorrow."""
    return ApiClient(api_key_for(member, name="brief", expires_at=end))


@pytest.fixture
def narrow(member: Membership) -> ApiClient:
    """Use a key with scopes."""
    account = ["authz.add_membership", "authz.change_membership", "authz.view_membership"]
    return ApiClient(api_key_for(member, name="narrow", scopes=[*KEYS, *account, VIEW]))


@pytest.fixture
def lasting(member: Membership) -> APIKey:
    """Keep a key that ends never and can do everything."""
    api_key_for(member, name="lasting")
    return APIKey.objects.get(name="lasting")


def ends_of(name: str) -> datetime | None:
    return APIKey.objects.get(name=name).expires_at


@pytest.mark.parametrize("wish", [{}, {"expires_at": None}])
def test_what_a_key_issues_ends_with_it(
    brief: ApiClient, end: datetime, wish: dict[str, Any]
) -> None:
    brief.ok("POST", "auth/api-keys", {"name": "child", **wish})
    assert ends_of("child") == end


def test_later_is_refused_and_earlier_is_taken(brief: ApiClient, end: datetime) -> None:
    body = {"name": "child", "expires_at": (end + timedelta(seconds=1)).isoformat()}
    envelope = brief.refused(400, "POST", "auth/api-keys", body)
    assert envelope["error_details"]["fields"][0]["path"] == "/expires_at"
    assert not APIKey.objects.filter(name="child").exists()
    body["expires_at"] = (end - timedelta(hours=1)).isoformat()
    child = ApiClient(brief.ok("POST", "auth/api-keys", body)["key"])
    child.ok("POST", "auth/api-keys", {"name": "grandchild"})
    assert ends_of("grandchild") == end - timedelta(hours=1)


@pytest.mark.parametrize(
    "changes",
    [{"expires_at": None}, {"expires_at": "2999-01-01T00:00:00Z"}, {"scopes": [VIEW]}],
)
def test_what_lives_longer_is_not_widened(
    brief: ApiClient, lasting: APIKey, changes: dict[str, Any]
) -> None:
    brief.refused(400, "PATCH", f"auth/api-keys/{lasting.pk}", changes)
    assert (ends_of("lasting"), APIKey.objects.get(pk=lasting.pk).scopes) == (None, [])
    brief.ok("PATCH", f"auth/api-keys/{lasting.pk}", {"name": "renamed"})


def test_what_lives_longer_is_not_rotated(brief: ApiClient, lasting: APIKey) -> None:
    brief.refused(403, "POST", f"auth/api-keys/{lasting.pk}/rotate", {})
    assert APIKey.objects.get(pk=lasting.pk).secret_hash == lasting.secret_hash


def test_a_key_that_ends_rotates_itself_and_still_ends(brief: ApiClient, end: datetime) -> None:
    own = APIKey.objects.get(name="brief")
    rotated = ApiClient(brief.ok("POST", f"auth/api-keys/{own.pk}/rotate", {})["key"])
    assert ends_of("brief") == end
    rotated.refused(403, "PATCH", f"auth/api-keys/{own.pk}", {"expires_at": None})


def test_what_a_key_with_scopes_issues_does_not_grow(narrow: ApiClient) -> None:
    narrow.ok("POST", "auth/api-keys", {"name": "child"})
    assert VIEW in APIKey.objects.get(name="child").scopes
    child = APIKey.objects.get(name="child")
    narrow.refused(400, "PATCH", f"auth/api-keys/{child.pk}", {"scopes": []})
    assert APIKey.objects.get(name="child").scopes == child.scopes


def test_neither_does_an_accounts(
    narrow: ApiClient, with_key: ApiClient, brief: ApiClient, end: datetime
) -> None:
    account = with_key.ok("POST", "auth/service-accounts", {"username": "ci", "role": "viewer"})
    path = f"auth/service-accounts/{account['id']}/api-keys"
    brief.ok("POST", path, {"name": "its own"})
    assert ends_of("its own") == end
    # All that a viewer may do, so that only the scopes' being there makes the difference.
    viewer = with_key.ok("GET", f"auth/api-keys/{APIKey.objects.get(name='its own').pk}")
    assert viewer["scopes"] == []
    narrow.refused(403, "POST", path, {"name": "wider"})


def test_a_session_with_scopes_issues_none_without(member: Membership) -> None:
    login = {"username": "ada", "password": "correct horse battery staple"}
    pair = ApiClient().ok("POST", "auth/token", login | {"scopes": [*KEYS, VIEW]})
    ApiClient(pair["access"]).ok("POST", "auth/api-keys", {"name": "child"})
    assert sorted(APIKey.objects.get(name="child").scopes) == sorted([*KEYS, VIEW])


def test_no_key_begins_a_session(brief: ApiClient) -> None:
    key = brief.credential or ""
    brief.refused(401, "POST", "auth/token/refresh", {"refresh": key})
    brief.refused(401, "POST", "auth/token", {"username": "ada", "password": key})
