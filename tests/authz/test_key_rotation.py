"""Rotating an API key: a new text for the same key, the old one for a while."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from authz.identity import api_key
from authz.identity.keys import rotate_api_key
from authz.models import APIKey, AuditEvent, Membership, User
from intmod_site.api.errors import Conflict
from tests.api_client import ApiClient
from tests.factories.authz import ACTOR, MembershipFactory, api_key_for


@pytest.fixture
def issued(with_key: ApiClient) -> dict[str, Any]:
    return dict(with_key.ok("POST", "auth/api-keys", {"name": "ci"}))


def rotate(client: ApiClient, key: dict[str, Any], **body: Any) -> dict[str, Any]:
    return dict(client.ok("POST", f"auth/api-keys/{key['id']}/rotate", body))


def test_both_texts_count_until_the_grace_is_over(
    with_key: ApiClient, issued: dict[str, Any]
) -> None:
    rotated = rotate(with_key, issued, grace_s=600)
    assert rotated["id"] == issued["id"]
    assert rotated["key"] != issued["key"]
    old, new = ApiClient(issued["key"]), ApiClient(rotated["key"])
    old.ok("GET", "auth/me")
    new.ok("GET", "auth/me")
    APIKey.objects.filter(pk=issued["id"]).update(previous_until=timezone.now())
    old.refused(401, "GET", "auth/me")
    new.ok("GET", "auth/me")


def test_without_grace_the_old_text_ends_at_once(
    with_key: ApiClient, issued: dict[str, Any]
) -> None:
    rotated = rotate(with_key, issued, grace_s=0)
    ApiClient(issued["key"]).refused(401, "GET", "auth/me")
    ApiClient(rotated["key"]).ok("GET", "auth/me")
    assert rotated["previous_until"] is None


def test_revoking_ends_both_texts(with_key: ApiClient, issued: dict[str, Any]) -> None:
    rotated = rotate(with_key, issued)
    with_key.ok("DELETE", f"auth/api-keys/{issued['id']}")
    for text in (issued["key"], rotated["key"]):
        ApiClient(text).refused(401, "GET", "auth/me")
    with_key.refused(409, "POST", f"auth/api-keys/{issued['id']}/rotate", {})


def test_only_the_last_text_has_a_grace(with_key: ApiClient, issued: dict[str, Any]) -> None:
    second = rotate(with_key, issued)
    third = rotate(with_key, issued)
    ApiClient(issued["key"]).refused(401, "GET", "auth/me")
    ApiClient(second["key"]).ok("GET", "auth/me")
    ApiClient(third["key"]).ok("GET", "auth/me")


def test_a_rotation_is_recorded_without_secrets(
    with_key: ApiClient, issued: dict[str, Any]
) -> None:
    rotated = rotate(with_key, issued)
    event = AuditEvent.objects.get(action="apikey.rotate")
    assert event.object_id == issued["id"]
    told = str(with_key.ok("GET", "audit/events")) + str(event.changes)
    row = APIKey.objects.get(pk=issued["id"])
    for text in (issued["key"], rotated["key"], row.secret_hash, row.previous_secret_hash):
        parsed = api_key.parse(text)
        assert (parsed.secret if parsed else text) not in told


def test_of_two_rotations_of_one_state_one_succeeds(member: Membership) -> None:
    api_key_for(member)
    held = frozenset(
        f"{p.content_type.app_label}.{p.codename}" for p in member.role.permissions.all()
    )
    first, second = APIKey.objects.get(), APIKey.objects.get()
    first_actor = ACTOR.__class__(kind="human", label="ada", id=str(member.user.pk))
    rotate_api_key(actor=first_actor, key=first, held=held)
    with pytest.raises(Conflict):
        rotate_api_key(actor=first_actor, key=second, held=held)


@pytest.mark.parametrize("grace", [-1, 604_801, 2**40, "5", 1.5, True, None])
def test_odd_graces_are_refused(with_key: ApiClient, issued: dict[str, Any], grace: Any) -> None:
    path = f"auth/api-keys/{issued['id']}/rotate"
    envelope = with_key.refused(400, "POST", path, {"grace_s": grace})
    assert envelope["error_details"]["fields"][0]["path"] == "/grace_s"
    ApiClient(issued["key"]).ok("GET", "auth/me")


def test_nobody_rotates_themselves_into_another_person(member: Membership) -> None:
    colleague = MembershipFactory(project=member.project, role_name="viewer")
    api_key_for(colleague)
    theirs = APIKey.objects.get()
    admin = ApiClient(api_key_for(member))
    admin.refused(403, "POST", f"auth/api-keys/{theirs.pk}/rotate", {})


def test_a_service_accounts_key_is_rotated_by_who_may_do_as_much(member: Membership) -> None:
    account = User.objects.create(username="ci", kind=User.Kind.SERVICE, owner=member.user)
    place = MembershipFactory(user=account, project=member.project, role_name="operator")
    text = api_key_for(place)
    key = APIKey.objects.get()
    admin = ApiClient(api_key_for(member))
    operator = MembershipFactory(project=member.project, role_name="operator")
    limited = ApiClient(api_key_for(operator, scopes=["authz.change_apikey"]))
    limited.refused(403, "POST", f"auth/api-keys/{key.pk}/rotate", {})
    rotated = admin.ok("POST", f"auth/api-keys/{key.pk}/rotate", {"grace_s": 0})
    ApiClient(text).refused(401, "GET", "auth/me")
    assert ApiClient(rotated["key"]).ok("GET", "auth/me")["kind"] == "service"


def test_an_account_stops_with_its_owner_and_goes_on_with_another(member: Membership) -> None:
    owner = MembershipFactory().user
    account = User.objects.create(username="ci", kind=User.Kind.SERVICE, owner=owner)
    client = ApiClient(api_key_for(MembershipFactory(user=account, project=member.project)))
    client.ok("GET", "auth/me")
    User.objects.filter(pk=owner.pk).update(is_active=False)
    client.refused(401, "GET", "auth/me")
    User.objects.filter(pk=account.pk).update(owner=member.user)
    client.ok("GET", "auth/me")


def test_an_expired_key_is_not_rotated(with_key: ApiClient, issued: dict[str, Any]) -> None:
    past = timezone.now() - timedelta(seconds=1)
    APIKey.objects.filter(pk=issued["id"]).update(expires_at=past)
    with_key.refused(409, "POST", f"auth/api-keys/{issued['id']}/rotate", {})


def test_a_replaced_text_does_not_take_the_key_over(
    with_key: ApiClient, issued: dict[str, Any]
) -> None:
    rotated = rotate(with_key, issued, grace_s=600)
    thief, path = ApiClient(issued["key"]), f"auth/api-keys/{issued['id']}/rotate"
    thief.ok("GET", "auth/me")
    thief.refused(409, "POST", path, {"grace_s": 0})
    ApiClient(rotated["key"]).ok("POST", path, {"grace_s": 0})
    thief.refused(401, "GET", "auth/me")
