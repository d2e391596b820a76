"""Tries of a password: bounded at one address and at all, for good nowhere."""

from typing import Any

import pytest
import time_machine

from authz.models import AuditEvent, Membership, RateBucket
from tests.api_client import ApiClient
from tests.factories.authz import PASSWORD

NOW_S = 1_800_000_000.0


@pytest.fixture(autouse=True)
def few_tries(settings: Any) -> None:
    settings.LOGIN_TRIES_AT_ADDRESS, settings.LOGIN_TRIES_EVERYWHERE = 3, 6


def try_in(
    password: str = "wrong", username: str = "ada", address: str = "192.0.2.1"
) -> tuple[int, dict[str, Any]]:
    client = ApiClient()
    client.defaults["REMOTE_ADDR"] = address
    answer = client.call("POST", "auth/token", {"username": username, "password": password})
    return answer.status_code, answer.json()


def statuses(count: int, **fields: str) -> list[int]:
    return [try_in(**fields)[0] for _ in range(count)]


def test_beyond_its_tries_even_the_right_password_waits(member: Membership) -> None:
    with time_machine.travel(NOW_S, tick=False) as clock:
        assert statuses(4) == [401, 401, 401, 429]
        status, envelope = try_in(PASSWORD)
        assert status == 429
        assert envelope["error"] == "Too many tries; try again in 100 seconds."
        assert envelope["error_details"]["code"] == "too_many_tries"
        clock.shift(99)
        assert try_in(PASSWORD)[0] == 429
        clock.shift(1.1)
        assert try_in(PASSWORD)[0] == 200


def test_success_forgets_the_tries_before_it(member: Membership) -> None:
    with time_machine.travel(NOW_S, tick=False):
        assert statuses(2) == [401, 401]
        assert try_in(PASSWORD)[0] == 200
        assert statuses(4) == [401, 401, 401, 429]


def test_spellings_of_a_name_share_their_tries(member: Membership) -> None:
    with time_machine.travel(NOW_S, tick=False):
        typed = ["ada", "ADA", "\uff21da"]
        assert [try_in(username=name)[0] for name in typed] == [401] * 3
        assert try_in(username="Ada")[0] == 429


def test_many_addresses_together_are_bounded_too(member: Membership) -> None:
    with time_machine.travel(NOW_S, tick=False) as clock:
        tried = [try_in(address=f"192.0.2.{host}")[0] for host in range(1, 9)]
        assert tried == [401] * 6 + [429] * 2
        assert try_in(PASSWORD, address="192.0.2.99")[0] == 429
        clock.shift(601)
        assert try_in(PASSWORD, address="192.0.2.99")[0] == 200


def test_who_is_known_at_an_address_is_not_kept_out_by_others(member: Membership) -> None:
    with time_machine.travel(NOW_S, tick=False) as clock:
        assert try_in(PASSWORD, address="198.51.100.1")[0] == 200
        for host in range(1, 9):
            try_in(address=f"192.0.2.{host}")
        assert try_in(PASSWORD, address="198.51.100.2")[0] == 429
        assert try_in(PASSWORD, address="198.51.100.1")[0] == 200
        clock.shift(31 * 86_400)
        for host in range(1, 9):
            try_in(address=f"192.0.2.{host}")
        assert try_in(PASSWORD, address="198.51.100.1")[0] == 429


def test_nothing_tells_whether_there_is_such_a_name(member: Membership) -> None:
    with time_machine.travel(NOW_S, tick=False):
        answers = [
            [(status, body["error"]) for status, body in (try_in(username=name) for _ in range(5))]
            for name in ("ada", "nobody")
        ]
    assert answers[0] == answers[1]


def test_what_was_refused_is_recorded_and_what_was_typed_is_not_kept(member: Membership) -> None:
    with time_machine.travel(NOW_S, tick=False):
        statuses(4, username="my-password-in-the-wrong-field")
    reasons = AuditEvent.objects.filter(action="session.create").order_by("id")
    assert [event.changes["reason"] for event in reasons][-1] == "too many tries"
    assert "my-password" not in str(list(RateBucket.objects.values_list("key", flat=True)))


def test_a_network_of_ipv6_is_one_address(member: Membership) -> None:
    with time_machine.travel(NOW_S, tick=False):
        tried = [try_in(address=f"2001:db8:0:1::{host}")[0] for host in range(1, 5)]
        assert tried == [401] * 3 + [429]
        assert try_in(PASSWORD, address="2001:db8:0:2::1")[0] == 200
        for host in range(1, 9):
            try_in(address=f"192.0.2.{host}")
        assert try_in(PASSWORD, address="2001:db8:0:3::1")[0] == 429
        assert try_in(PASSWORD, address="2001:db8:0:2::2")[0] == 200, "known in its network"
