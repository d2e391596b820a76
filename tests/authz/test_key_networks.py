"""API keys that count only from some networks, over the same one query."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authz.identity import networks
from authz.identity.lookup import find_principal
from authz.models import APIKey, Membership
from intmod_site.api.errors import NotAuthenticated
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, api_key_for


@pytest.mark.parametrize(
    ("address", "cidrs", "allowed"),
    [
        ("10.1.2.3", (), True),
        (None, (), True),
        (None, ("10.0.0.0/8",), False),
        ("10.1.2.3", ("10.0.0.0/8",), True),
        ("11.1.2.3", ("10.0.0.0/8",), False),
        ("::ffff:10.1.2.3", ("10.0.0.0/8",), True),
        ("::ffff:11.1.2.3", ("10.0.0.0/8",), False),
        ("10.1.2.3", ("::ffff:10.0.0.0/104",), True),
        ("2001:db8::7", ("2001:db8::/32",), True),
        ("2001:db9::7", ("2001:db8::/32", "10.0.0.0/8"), False),
        ("10.1.2.3", ("::/0",), False),
        ("not an address", ("0.0.0.0/0", "::/0"), False),
    ],
)
def test_which_addresses_are_within(
    address: str | None, cidrs: tuple[str, ...], allowed: bool
) -> None:
    assert networks.is_allowed(address, cidrs) is allowed


def test_a_key_counts_from_its_networks_only(member: Membership) -> None:
    key = api_key_for(member, allowed_cidrs=["10.0.0.0/8", "::1"])
    for address in ("10.9.9.9", "::ffff:10.9.9.9", "::1"):
        find_principal(key, address=address)
    with CaptureQueriesContext(connection) as queries:
        find_principal(key, address="10.9.9.9")
    assert len(queries) == 1
    for address in ("192.0.2.1", "::2", None):
        with pytest.raises(NotAuthenticated):
            find_principal(key, address=address)


@pytest.mark.parametrize("path", ["auth/me", "/v1/models", "/v1/chat/completions", "ai/generate"])
def test_every_way_in_honours_them_and_a_change_at_once(member: Membership, path: str) -> None:
    admin = ApiClient(api_key_for(member))
    created = admin.ok("POST", "auth/api-keys", {"name": "ci", "allowed_cidrs": ["192.0.2.0/24"]})
    client = ApiClient(created["key"])
    method, body = ("GET", None) if path in ("auth/me", "/v1/models") else ("POST", {})
    client.refused(401, method, path, body)
    admin.ok("PATCH", f"auth/api-keys/{created['id']}", {"allowed_cidrs": ["127.0.0.1"]})
    assert client.call(method, path, body).status_code != 401
    admin.ok("PATCH", f"auth/api-keys/{created['id']}", {"allowed_cidrs": ["192.0.2.0/24"]})
    client.refused(401, method, path, body)


def test_networks_are_kept_in_one_spelling(with_key: ApiClient) -> None:
    given = ["::ffff:10.0.0.0/104", "10.0.0.0/8", "2001:DB8::/32", "192.0.2.1"]
    created = with_key.ok("POST", "auth/api-keys", {"name": "ci", "allowed_cidrs": given})
    assert created["allowed_cidrs"] == ["10.0.0.0/8", "192.0.2.1/32", "2001:db8::/32"]


ODD: list[Any] = ["", "x", "10.0.0.1/8", "10.0.0.0/33", "fe80::1%eth0", "10.0.0.0/-1", 5, None]


@pytest.mark.parametrize("odd", ODD)
def test_odd_networks_are_refused(with_key: ApiClient, odd: Any) -> None:
    body = {"name": "ci", "allowed_cidrs": ["10.0.0.0/8", odd]}
    envelope = with_key.refused(400, "POST", "auth/api-keys", body)
    assert envelope["error_details"]["fields"][0]["path"].startswith("/allowed_cidrs")
    assert APIKey.objects.count() == 1


def test_a_confined_key_neither_loosens_itself_nor_hands_on_more(member: Membership) -> None:
    confined = ApiClient(api_key_for(member, allowed_cidrs=["127.0.0.0/8"]))
    own = APIKey.objects.get()
    confined.refused(403, "PATCH", f"auth/api-keys/{own.pk}", {"allowed_cidrs": []})
    child = confined.ok("POST", "auth/api-keys", {"name": "child"})
    assert child["allowed_cidrs"] == ["127.0.0.0/8"]
    wider = {"name": "wide", "allowed_cidrs": ["0.0.0.0/0"]}
    confined.refused(400, "POST", "auth/api-keys", wider)
    narrower = {"name": "narrow", "allowed_cidrs": ["127.0.0.1"]}
    confined.ok("POST", "auth/api-keys", narrower)
    path = f"auth/api-keys/{child['id']}"
    confined.refused(400, "PATCH", path, {"allowed_cidrs": ["0.0.0.0/0"]})
    emptied = confined.ok("PATCH", path, {"allowed_cidrs": []})
    assert emptied["allowed_cidrs"] == ["127.0.0.0/8"]


def test_a_confined_key_rotates_only_itself(member: Membership) -> None:
    api_key_for(member)
    free = APIKey.objects.get()
    confined = ApiClient(api_key_for(member, allowed_cidrs=["127.0.0.0/8"]))
    own = APIKey.objects.exclude(pk=free.pk).get()
    confined.refused(403, "POST", f"auth/api-keys/{free.pk}/rotate", {})
    confined.ok("POST", f"auth/api-keys/{own.pk}/rotate", {})


def test_other_projects_keys_keep_their_networks(with_key: ApiClient) -> None:
    theirs = MembershipFactory()
    api_key_for(theirs, allowed_cidrs=["10.0.0.0/8"])
    key = APIKey.objects.get(project=theirs.project)
    with_key.refused(404, "PATCH", f"auth/api-keys/{key.pk}", {"allowed_cidrs": []})
    with_key.refused(404, "POST", f"auth/api-keys/{key.pk}/rotate", {})
