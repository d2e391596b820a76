"""Exchanging secrets."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.utils import timezone
from standardwebhooks import Webhook, WebhookVerificationError

from authz.models import AuditEvent
from integrations.models import WebhookEndpoint
from integrations.webhooks.rotation import MOST_OLD, signing_keys
from integrations.webhooks.services import publish
from integrations.webhooks.signing import key_of, new_secret
from tests.api_client import ApiClient
from tests.integrations.webhooks.conftest import SECRET, Register, Serve
from tests.integrations.webhooks.delivering import OK, attempt_due


def path_of(endpoint: WebhookEndpoint) -> str:
    return f"integration/webhook/endpoints/{endpoint.pk}/rotate-secret"


def sent(server: Any) -> tuple[bytes, dict[str, str]]:
    head, _, body = server.requests[-1].partition(b"\r\n\r\n")
    rows = (row.partition(": ") for row in head.decode().split("\r\n")[1:])
    return body, {name.lower(): value for name, _, value in rows}


def test_both_verify_while_they_overlap(api: ApiClient, serve: Serve, register: Register) -> None:
    server = serve(OK)
    endpoint = register(server)
    answer = api.ok("POST", path_of(endpoint), {})
    assert answer["old_secrets"] == 1
    assert answer["secret"] != SECRET
    publish("a.b", {}, project=endpoint.project)
    attempt_due()
    body, headers = sent(server)
    assert len(headers["webhook-signature"].split(" ")) == 2
    for secret in (SECRET, answer["secret"]):
        Webhook(secret).verify(body, headers)
    assert SECRET not in repr(list(AuditEvent.objects.values()))


def test_the_old_one_ends_with_its_time(api: ApiClient, register: Register) -> None:
    endpoint = register("https://a.example")
    fresh = api.ok("POST", path_of(endpoint), {"overlap_s": 60})["secret"]
    endpoint.refresh_from_db()
    now = timezone.now()
    assert signing_keys(endpoint, now) == [key_of(fresh), key_of(SECRET)]
    assert signing_keys(endpoint, now + timedelta(seconds=61)) == [key_of(fresh)]
    with time_machine.travel(now + timedelta(hours=1)):
        assert api.ok("GET", path_of(endpoint).removesuffix("/rotate-secret"))["old_secrets"] == 0


def test_zero_revokes_everything_at_once(api: ApiClient, serve: Serve, register: Register) -> None:
    server = serve(OK)
    endpoint = register(server)
    second = api.ok("POST", path_of(endpoint), {})["secret"]
    third = api.ok("POST", path_of(endpoint), {"overlap_s": 0})["secret"]
    publish("a.b", {}, project=endpoint.project)
    attempt_due()
    body, headers = sent(server)
    Webhook(third).verify(body, headers)
    for secret in (SECRET, second):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, headers)


def test_at_most_ten_sign_along(api: ApiClient, register: Register) -> None:
    endpoint = register("https://a.example")
    for _ in range(MOST_OLD):
        api.ok("POST", path_of(endpoint), {})
    api.refused(409, "POST", path_of(endpoint), {})
    own = new_secret()
    assert api.ok("POST", path_of(endpoint), {"overlap_s": 0, "secret": own})["secret"] == own
    assert api.ok("POST", path_of(endpoint), {})["old_secrets"] == 1


def test_the_present_one_is_no_other(api: ApiClient, register: Register) -> None:
    endpoint = register("https://a.example")
    told = api.refused(400, "POST", path_of(endpoint), {"secret": SECRET})
    assert told["error_details"]["fields"][0]["path"] == "/secret"
    fresh = api.ok("POST", path_of(endpoint), {})["secret"]
    api.ok("POST", path_of(endpoint), {"secret": SECRET})
    endpoint.refresh_from_db()
    keys = signing_keys(endpoint, timezone.now())
    assert keys == [key_of(SECRET), key_of(fresh)], "who comes back signs once"


def test_one_whose_key_is_gone_can_be_replaced(
    api: ApiClient, register: Register, settings: Any
) -> None:
    endpoint = register("https://a.example")
    settings.FIELD_ENCRYPTION_KEYS = {"other": "another key of some length 0123456789"}
    told = api.refused(409, "POST", path_of(endpoint), {})
    assert told["error_details"]["code"] == "secret_unreadable"
    fresh = api.ok("POST", path_of(endpoint), {"overlap_s": 0})["secret"]
    endpoint.refresh_from_db()
    assert signing_keys(endpoint, timezone.now()) == [key_of(fresh)]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"overlap_s": -1}, "/overlap_s"),
        ({"overlap_s": 10**6}, "/overlap_s"),
        ({"overlap_s": True}, "/overlap_s"),
        ({"secret": "x"}, "/secret"),
        ({"x": 1}, "/x"),
    ],
)
def test_odd_rotations(api: ApiClient, register: Register, body: Any, field: str) -> None:
    endpoint = register("https://a.example")
    envelope = api.refused(400, "POST", path_of(endpoint), body)
    assert envelope["error_details"]["fields"][0]["path"] == field
    assert signing_keys(WebhookEndpoint.objects.get(), timezone.now()) == [key_of(SECRET)]
