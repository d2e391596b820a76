"""Logging in to the admin: so many tries, then a page that says when to come again."""

import re

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client

from authz.models import AuditEvent, User
from tests.factories.authz import PASSWORD, UserFactory

NOW_S = 1_800_000_000.0


@pytest.fixture
def staff(db: None) -> User:
    return UserFactory(username="ada", is_staff=True, is_superuser=True)


def try_in(client: Client, password: str, username: str = "ada") -> HttpResponse:
    return client.post("/admin/login/", {"username": username, "password": password})


def test_beyond_its_tries_the_page_says_when_to_come_again(staff: User, client: Client) -> None:
    with time_machine.travel(NOW_S, tick=False) as clock:
        assert [try_in(client, "wrong").status_code for _ in range(5)] == [200] * 5
        answer = try_in(client, PASSWORD)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
        assert re.search(r"errornote.*try again in 60 seconds", answer.content.decode())
        clock.shift(61)
        assert try_in(client, PASSWORD).status_code == 302
    reasons = [event.changes["reason"] for event in AuditEvent.objects.filter(outcome="denied")]
    assert reasons.count("too many tries") == 1
    assert len(reasons) == 6


def test_names_that_nobody_has_are_told_the_same(staff: User, client: Client) -> None:
    with time_machine.travel(NOW_S, tick=False):
        told = [
            [try_in(client, "wrong", name).status_code for _ in range(6)]
            for name in ("ada", "nobody")
        ]
    assert told[0] == told[1] == [200] * 5 + [429]


def test_the_api_and_the_admin_count_the_same_tries(staff: User, client: Client) -> None:
    body = {"username": "ada", "password": "wrong"}
    with time_machine.travel(NOW_S, tick=False):
        for _ in range(3):
            client.post("/api/v1/auth/token", body, content_type="application/json")
        assert [try_in(client, "wrong").status_code for _ in range(3)] == [200, 200, 429]
