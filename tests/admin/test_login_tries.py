"""Logging in to the admin: so many tries, then a page that says when to come again."""

import re
from typing import Any

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


def test_many_names_of_one_address_are_bounded_together(
    staff: User, client: Client, settings: Any
) -> None:
    settings.REQUESTS_PER_MINUTE = {"token_address": 3}
    with time_machine.travel(NOW_S, tick=False):
        tried = [try_in(client, "wrong", f"name{number}") for number in range(5)]
    assert [answer.status_code for answer in tried] == [200] * 3 + [429] * 2
    assert tried[-1].headers["Retry-After"] == "20"
    assert AuditEvent.objects.filter(outcome="denied").count() == 3, "what is beyond floods no log"


def test_the_old_password_is_not_guessed_where_a_new_one_is_set(
    staff: User, client: Client
) -> None:
    def change(old: str) -> HttpResponse:
        new = "a-new-and-long-passphrase"
        typed = {"old_password": old, "new_password1": new, "new_password2": new}
        return client.post("/admin/password_change/", typed)

    with time_machine.travel(NOW_S, tick=False) as clock:
        client.force_login(staff)
        assert [change("wrong").status_code for _ in range(5)] == [200] * 5
        answer = change(PASSWORD)
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")
        staff.refresh_from_db()
        assert staff.check_password(PASSWORD)
        clock.shift(61)
        assert change(PASSWORD).status_code == 302
        assert client.get("/admin/").status_code == 200
    assert AuditEvent.objects.filter(action="admin.confirm", outcome="denied").count() == 6


def test_who_is_not_staff_is_told_what_strangers_are_and_recorded(
    staff: User, client: Client
) -> None:
    UserFactory(username="grace")
    told = [
        re.findall(r"(?s)errornote.*?</p>", try_in(client, password, name).content.decode())
        for password, name in ((PASSWORD, "grace"), ("wrong", "grace"), ("wrong", "nobody"))
    ]
    assert told[0] == told[1] == told[2] != []
    reasons = [
        event.changes["reason"]
        for event in AuditEvent.objects.filter(actor_label="grace").order_by("id")
    ]
    assert reasons == ["not staff", "name and password do not belong together"]
