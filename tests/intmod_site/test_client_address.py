"""One spelling for each peer, whatever the server and its sockets make of it."""

from ipaddress import ip_network
from typing import Any

import pytest
from django.test import RequestFactory

from authz.models import AuditEvent
from intmod_site.client_address import client_address
from tests.api_client import ApiClient
from tests.factories.authz import PASSWORD

ADDRESSES = [
    ("127.0.0.1", "127.0.0.1"),
    ("::ffff:192.0.2.7", "192.0.2.7"),
    ("2001:DB8:0::1", "2001:db8::1"),
    ("fe80::1%eth0", "fe80::1"),
    ("", None),
    ("unix:", None),
    ("/run/intmod.sock", None),
]


@pytest.mark.parametrize(("given", "known"), ADDRESSES)
def test_a_peer_has_one_spelling(given: str, known: str | None) -> None:
    assert client_address(RequestFactory().get("/", REMOTE_ADDR=given)) == known


@pytest.mark.parametrize(("given", "known"), ADDRESSES)
def test_every_peer_can_be_recorded(api: ApiClient, given: str, known: str | None) -> None:
    api.defaults["REMOTE_ADDR"] = given
    api.ok("POST", "registry/models", {"name": "m", "model_type": "llm"})
    api.ok("POST", "auth/token", {"username": "ada", "password": PASSWORD})
    events = AuditEvent.objects.filter(action__in=["registeredmodel.create", "session.create"])
    assert set(events.values_list("address", flat=True)) == {known}


PROXIES = ["10.0.0.0/8", "2001:db8:1::/48"]
CLIENT = "203.0.113.9"


@pytest.fixture
def behind_proxies(settings: Any) -> None:
    settings.TRUSTED_PROXIES = [ip_network(cidr) for cidr in PROXIES]


@pytest.mark.parametrize(
    ("peer", "said", "known"),
    [
        ("10.0.0.1", CLIENT, CLIENT),
        ("10.0.0.1", None, "10.0.0.1"),
        ("10.0.0.1", "", "10.0.0.1"),
        # What the client itself sent stands before what our proxies appended.
        ("10.0.0.1", f"127.0.0.1, {CLIENT}", CLIENT),
        ("10.0.0.1", f"127.0.0.1,{CLIENT} ,10.0.0.2,  10.0.0.3", CLIENT),
        ("10.0.0.1", "10.0.0.7, 10.0.0.2", "10.0.0.7"),
        ("10.0.0.1", f"{CLIENT}:4711", CLIENT),
        ("10.0.0.1", "[2001:DB8:2::1]:443", "2001:db8:2::1"),
        ("10.0.0.1", "2001:DB8:2::1", "2001:db8:2::1"),
        ("10.0.0.1", f"::ffff:{CLIENT}", CLIENT),
        ("2001:db8:1::5", "fe80::1%eth0", "fe80::1"),
        ("::ffff:10.0.0.1", CLIENT, CLIENT),
        # Garbage hides who is behind it, and nobody nearer.
        ("10.0.0.1", f"{CLIENT}, unknown", "10.0.0.1"),
        ("10.0.0.1", f"{CLIENT}, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "'; DROP TABLE authz_user; --", "10.0.0.1"),
        ("10.0.0.1", ", , ,", "10.0.0.1"),
        ("10.0.0.1", "\x00", "10.0.0.1"),
        ("10.0.0.1", f"{CLIENT}, " + ", ".join(["10.0.0.2"] * 100_000), "10.0.0.2"),
        # Nobody else is believed.
        ("192.0.2.1", CLIENT, "192.0.2.1"),
        ("2001:db8:2::5", CLIENT, "2001:db8:2::5"),
        # Only a proxy reaches a socket file.
        ("", CLIENT, CLIENT),
        ("", None, None),
        ("", "unknown", None),
    ],
)
def test_proxies_say_who_is_behind_them(
    behind_proxies: None, peer: str, said: str | None, known: str | None
) -> None:
    headers = {} if said is None else {"HTTP_X_FORWARDED_FOR": said}
    assert client_address(RequestFactory().get("/", REMOTE_ADDR=peer, **headers)) == known


@pytest.mark.parametrize("peer", ["10.0.0.1", ""])
def test_without_named_proxies_nobody_is_believed(peer: str) -> None:
    request = RequestFactory().get("/", REMOTE_ADDR=peer, HTTP_X_FORWARDED_FOR=CLIENT)
    assert client_address(request) == (peer or None)


def test_a_keys_networks_are_held_against_the_client(behind_proxies: None, api: ApiClient) -> None:
    key = api.ok("POST", "auth/api-keys", {"name": "k", "allowed_cidrs": [f"{CLIENT}/32"]})["key"]
    caller = ApiClient(key)
    caller.defaults |= {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": CLIENT}
    caller.ok("GET", "auth/me")
    caller.defaults["HTTP_X_FORWARDED_FOR"] = f"{CLIENT}, 198.51.100.7"
    caller.refused(401, "GET", "auth/me")
    caller.defaults |= {"REMOTE_ADDR": "198.51.100.7", "HTTP_X_FORWARDED_FOR": CLIENT}
    caller.refused(401, "GET", "auth/me")
