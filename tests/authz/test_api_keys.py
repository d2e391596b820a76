"""API keys: shown once, found by one query, refused without one where their text is wrong."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from authz.identity import api_key
from authz.identity.lookup import find_principal
from authz.models import APIKey, Membership
from intmod_site.api.errors import NotAuthenticated
from tests.api_client import ApiClient
from tests.authz.conftest import LogIn
from tests.factories.authz import MembershipFactory, api_key_for


def test_a_key_reads_back_as_it_was_made() -> None:
    made = api_key.generate()
    assert api_key.parse(str(made)) == made
    assert made.secret not in repr(made)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1],
        lambda text: text + "x",
        lambda text: text[:-1] + "!",
        lambda text: text.upper(),
        lambda text: text.replace("_", "-"),
        lambda text: "é" + text[1:],
    ],
)
def test_a_mistyped_key_is_refused_without_a_query(change: Any) -> None:
    with pytest.raises(NotAuthenticated):
        find_principal(change(str(api_key.generate())), address=None)


def test_a_well_formed_key_that_nobody_has_is_refused(with_key: ApiClient) -> None:
    ApiClient(str(api_key.generate())).refused(401, "GET", "auth/me")
    real = api_key.parse(with_key.credential or "")
    assert real is not None
    forged = api_key.KeyText(real.public_id, api_key.generate().secret)
    ApiClient(str(forged)).refused(401, "GET", "auth/me")


def test_only_a_keyed_hash_is_stored(with_key: ApiClient) -> None:
    parsed = api_key.parse(with_key.credential or "")
    assert parsed is not None
    stored = APIKey.objects.get()
    assert stored.secret_hash == api_key.secret_hash(parsed)
    assert parsed.secret not in str(APIKey.objects.values().get())


def test_a_key_is_shown_once(with_key: ApiClient) -> None:
    created = with_key.ok("POST", "auth/api-keys", {"name": "ci"})
    ApiClient(created["key"]).ok("GET", "auth/me")
    again = with_key.ok("GET", f"auth/api-keys/{created['id']}")
    assert "key" not in again
    assert created["key"] not in str(with_key.ok("GET", "audit/events"))


def test_the_other_header_works_too(with_key: ApiClient) -> None:
    assert (
        ApiClient().ok("GET", "auth/me", X_API_Key=with_key.credential or "")["username"] == "ada"
    )


def test_scopes_and_expiry(with_key: ApiClient) -> None:
    body = {
        "name": "ci",
        "scopes": ["registry.view_registeredmodel", "authz.add_apikey"],
        "expires_at": (timezone.now() + timedelta(days=1)).isoformat(),
    }
    narrow = ApiClient(with_key.ok("POST", "auth/api-keys", body)["key"])
    narrow.ok("GET", "registry/models")
    narrow.refused(403, "GET", "audit/events")
    narrow.refused(400, "POST", "auth/api-keys", {"name": "x", "scopes": ["authz.view_auditevent"]})
    child = ApiClient(narrow.ok("POST", "auth/api-keys", {"name": "child"})["key"])
    child.refused(403, "GET", "audit/events")


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": "x", "scopes": ["a.b"]}, "/scopes/0"),
        ({"name": "x", "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"name": "x", "expires_at": "tomorrow"}, "/expires_at"),
        ({"name": "x", "key": "mine"}, "/key"),
    ],
)
def test_odd_wishes_are_refused(with_key: ApiClient, body: dict[str, Any], path: str) -> None:
    envelope = with_key.refused(400, "POST", "auth/api-keys", body)
    assert envelope["error_details"]["fields"][0]["path"] == path
    assert APIKey.objects.count() == 1


def test_a_key_can_be_renamed_and_narrowed(with_key: ApiClient) -> None:
    created = with_key.ok("POST", "auth/api-keys", {"name": "ci"})
    path = f"auth/api-keys/{created['id']}"
    changed = with_key.ok(
        "PATCH", path, {"name": "build", "scopes": ["registry.view_modelversion"]}
    )
    assert changed["name"] == "build"
    ApiClient(created["key"]).refused(403, "GET", "registry/models")


@pytest.mark.parametrize("kind", ["key", "token"])
def test_finding_the_caller_takes_one_query(member: Membership, log_in: LogIn, kind: str) -> None:
    credential = api_key_for(member) if kind == "key" else log_in()["access"]
    assert find_principal(credential, address=None).has("registry.view_registeredmodel")
    with CaptureQueriesContext(connection) as queries:
        assert find_principal(credential, address=None).has("registry.view_registeredmodel")
    assert len(queries) == 1


def test_the_last_use_is_noted_now_and_then(with_key: ApiClient) -> None:
    with_key.ok("GET", "auth/me")
    first = APIKey.objects.get().last_used_at
    assert first is not None
    with_key.ok("GET", "auth/me")
    assert APIKey.objects.get().last_used_at == first
    APIKey.objects.update(last_used_at=first - timedelta(minutes=6))
    with_key.ok("GET", "auth/me")
    assert APIKey.objects.get().last_used_at > first - timedelta(minutes=1)


def test_keys_of_another_project_are_not_there(with_key: ApiClient) -> None:
    theirs = MembershipFactory()
    api_key_for(theirs)
    key = APIKey.objects.get(project=theirs.project)
    for method in ("GET", "PATCH", "DELETE"):
        with_key.refused(404, method, f"auth/api-keys/{key.pk}", {} if method == "PATCH" else None)
    assert len(with_key.ok("GET", "auth/api-keys")["results"]) == 1


def test_a_key_does_not_loosen_itself(member: Membership) -> None:
    scopes = ["authz.add_apikey", "authz.change_apikey", "authz.view_apikey"]
    narrow = ApiClient(api_key_for(member, scopes=scopes))
    own = narrow.ok("GET", "auth/api-keys")["results"][0]
    for changes in ({"scopes": []}, {"scopes": scopes[:1]}, {"expires_at": None}):
        narrow.refused(403, "PATCH", f"auth/api-keys/{own['id']}", changes)
    assert APIKey.objects.get().scopes == scopes
    narrow.ok("PATCH", f"auth/api-keys/{own['id']}", {"name": "mine"})


def test_a_key_that_can_do_more_is_out_of_reach(member: Membership) -> None:
    api_key_for(member)
    theirs = APIKey.objects.get()
    operator = ApiClient(api_key_for(MembershipFactory(project=member.project)))
    for changes in ({"name": "x"}, {"scopes": []}, {"expires_at": None}):
        operator.refused(403, "PATCH", f"auth/api-keys/{theirs.pk}", changes)
