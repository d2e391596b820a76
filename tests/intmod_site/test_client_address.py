"""One spelling for each peer, whatever the server and its sockets make of it."""

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
