"""Another secret for a source, while the old one still counts or not."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from integrations.models import InboundSource
from tests.api_client import ApiClient
from tests.integrations.webhooks.inbound import senders
from tests.integrations.webhooks.inbound.conftest import Register, Send

ROTATE = "integration/webhook/sources/orders/rotate-secret"


def test_the_old_secret_counts_until_its_time_is_over(
    api: ApiClient, register: Register, send: Send
) -> None:
    now = datetime(2026, 11, 23, 12, tzinfo=UTC)
    with time_machine.travel(now, tick=False) as clock:
        source = register()
        made = api.ok("POST", ROTATE, {"overlap_s": 3600})
        assert made["secret"] != senders.SHARED
        assert made["replaced_secrets"] == 1
        clock.move_to(now + timedelta(seconds=3599))
        assert send(source, {}, event_id="m1").status_code == 202
        assert send(source, {}, event_id="m2", secret=made["secret"]).status_code == 202
        clock.move_to(now + timedelta(seconds=3600))
        assert send(source, {}, event_id="m3").status_code == 401
        assert send(source, {}, event_id="m4", secret=made["secret"]).status_code == 202


def test_without_an_overlap_all_old_ones_are_revoked_at_once(
    api: ApiClient, register: Register, send: Send
) -> None:
    source = register()
    second = api.ok("POST", ROTATE)["secret"]
    third = api.ok("POST", ROTATE, {"overlap_s": 0})
    assert third["replaced_secrets"] == 0
    for secret, status in ((senders.SHARED, 401), (second, 401), (third["secret"], 202)):
        assert send(source, {}, secret=secret).status_code == status
    assert InboundSource.objects.get().old_secrets is None


def test_only_so_many_count_at_once(api: ApiClient, register: Register) -> None:
    register()
    for _ in range(5):
        api.ok("POST", ROTATE)
    api.refused(409, "POST", ROTATE)
    api.ok("POST", ROTATE, {"overlap_s": 0})
    api.ok("POST", ROTATE)


def test_the_senders_secret_can_be_given(api: ApiClient, register: Register, send: Send) -> None:
    source = register(scheme="stripe", secret=senders.PLAIN)
    api.refused(400, "POST", ROTATE)
    assert api.ok("POST", ROTATE, {"secret": "of the sender"})["secret"] == "of the sender"
    assert send(source, {}, sign=senders.stripe, secret="of the sender").status_code == 202
    told = api.refused(400, "POST", ROTATE, {"secret": "of the sender"})
    assert told["error_details"]["fields"][0]["path"] == "/secret"


@pytest.mark.parametrize(
    "body",
    [{"overlap_s": -1}, {"overlap_s": 604_801}, {"overlap_s": 1.5}, {"secret": "no"}, {"x": 1}],
)
def test_odd_rotations_change_nothing(body: Any, api: ApiClient, register: Register) -> None:
    before = register()["secret_fingerprint"]
    api.refused(400, "POST", ROTATE, body)
    shown = api.ok("GET", "integration/webhook/sources/orders")
    assert (shown["secret_fingerprint"], shown["replaced_secrets"]) == (before, 0)


def test_a_secret_whose_key_is_gone_can_be_replaced(
    api: ApiClient, register: Register, send: Send, settings: Any
) -> None:
    source = register()
    settings.FIELD_ENCRYPTION_KEYS = {"other": "another key of some length 0123456789"}
    assert send(source, {}).json()["error_details"]["code"] == "secret_unreadable"
    assert api.ok("GET", "integration/webhook/sources/orders")["secret_hint"] == "unreadable"
    api.refused(409, "POST", ROTATE)
    fresh = api.ok("POST", ROTATE, {"overlap_s": 0})["secret"]
    assert send(source, {}, secret=fresh).status_code == 202
