"""Requests that an address, a credential, a user and a project may make in a minute."""

import json
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext

from authz.models import Membership
from tests.api_client import ApiClient
from tests.factories.authz import PASSWORD, MembershipFactory, api_key_for

NOW_S = 1_800_000_000.0
LOGIN = {"username": "ada", "password": PASSWORD}


def test_a_credential_has_its_own(member: Membership, settings: Any) -> None:
    settings.REQUESTS_PER_MINUTE = {"credential": 3}
    first, second = ApiClient(api_key_for(member)), ApiClient(api_key_for(member))
    told = [first.call("GET", "auth/me").headers["RateLimit-Remaining"] for _ in range(3)]
    assert told == ["2", "1", "0"]
    answer = first.call("GET", "auth/me")
    assert answer.status_code == 429
    assert answer.headers["RateLimit-Limit"] == "3"
    assert answer.headers["RateLimit-Policy"] == "3;w=60"
    assert 0 < float(answer.headers["Retry-After"]) <= 20
    details = json.loads(answer.content)["error_details"]
    assert details["code"] == "rate_limited"
    assert 0 < details["retry_after_s"] <= 20
    second.ok("GET", "auth/me")


def test_all_credentials_of_a_user_share_the_users(member: Membership, settings: Any) -> None:
    settings.REQUESTS_PER_MINUTE = {"user": 2}
    other = MembershipFactory(project=member.project)
    for _ in range(2):
        ApiClient(api_key_for(member)).ok("GET", "auth/me")
    envelope = ApiClient(api_key_for(member)).refused(429, "GET", "auth/me")
    assert envelope["error"] == "The limit of the user ada is 2 requests a minute."
    ApiClient(api_key_for(other)).ok("GET", "auth/me")


def test_all_members_share_the_projects(member: Membership, settings: Any) -> None:
    settings.REQUESTS_PER_MINUTE = {"project": 2}
    elsewhere = MembershipFactory(user=member.user)
    for _ in range(2):
        ApiClient(api_key_for(MembershipFactory(project=member.project))).ok("GET", "auth/me")
    ApiClient(api_key_for(member)).refused(429, "GET", "auth/me")
    ApiClient(api_key_for(elsewhere)).ok("GET", "auth/me")


def test_an_address_is_limited_before_its_credential_is_looked_at(
    member: Membership, settings: Any
) -> None:
    settings.REQUESTS_PER_MINUTE = {"address": 3}
    guessing = ApiClient("intmod_" + "a" * 52)
    for _ in range(3):
        guessing.refused(401, "GET", "auth/me")
    ApiClient(api_key_for(member)).refused(429, "GET", "auth/me")
    elsewhere = ApiClient(api_key_for(member))
    elsewhere.defaults["REMOTE_ADDR"] = "192.0.2.7"
    elsewhere.ok("GET", "auth/me")


def test_a_whole_ipv6_network_is_one_address(member: Membership, settings: Any) -> None:
    settings.REQUESTS_PER_MINUTE = {"address": 2}
    key = api_key_for(member)
    for host, status in [("1::1", 200), ("1::2", 200), ("1:9::", 429), ("2::1", 200)]:
        caller = ApiClient(key)
        caller.defaults["REMOTE_ADDR"] = f"2001:db8:0:{host}"
        assert caller.call("GET", "auth/me").status_code == status


def test_routes_without_a_credential_have_a_limit_of_their_own(
    anonymous: ApiClient, member: Membership, settings: Any
) -> None:
    settings.REQUESTS_PER_MINUTE = {"token_address": 3}
    pair = anonymous.ok("POST", "auth/token", LOGIN)
    anonymous.ok("POST", "auth/token/verify", {"token": pair["access"]})
    pair = anonymous.ok("POST", "auth/token/refresh", {"refresh": pair["refresh"]})
    for path, body in [
        ("auth/token", LOGIN),
        ("auth/token/verify", {"token": "x"}),
        ("auth/token/refresh", {"refresh": pair["refresh"]}),
        ("auth/token/revoke", {"token": pair["refresh"]}),
    ]:
        anonymous.refused(429, "POST", path, body)
    ApiClient(pair["access"]).ok("GET", "auth/me")


@pytest.mark.parametrize("path", ["ai/chat", "/v1/chat/completions", "/v1/messages"])
def test_calls_of_models_are_requests_too(member: Membership, settings: Any, path: str) -> None:
    settings.REQUESTS_PER_MINUTE = {"credential": 1}
    caller = ApiClient(api_key_for(member))
    caller.ok("GET", "auth/me")
    answer = caller.call("POST", path, {})
    assert answer.status_code == 429
    assert "requests a minute" in str(json.loads(answer.content)["error"])


def test_what_the_project_refuses_its_members_do_not_pay_for(
    member: Membership, settings: Any
) -> None:
    settings.REQUESTS_PER_MINUTE = {"credential": 3, "user": 3, "project": 1}
    caller = ApiClient(api_key_for(member))
    with time_machine.travel(NOW_S, tick=False) as clock:
        caller.ok("GET", "auth/me")
        for _ in range(5):
            answer = caller.call("GET", "auth/me")
            assert answer.status_code == 429
            assert "the project" in answer.json()["error"]
        clock.shift(60)
        caller.ok("GET", "auth/me")


def test_mlflows_clients_are_not_called_back_too_early(member: Membership, settings: Any) -> None:
    settings.REQUESTS_PER_MINUTE = {"credential": 25}
    caller = ApiClient(api_key_for(member))
    with time_machine.travel(NOW_S, tick=False):
        for _ in range(25):
            caller.ok("GET", "auth/me")
        answer = caller.call("GET", "/api/2.0/mlflow/registered-models/search")
    assert answer.status_code == 429
    assert answer.json()["error_code"] == "REQUEST_LIMIT_EXCEEDED"
    assert answer.headers["Retry-After"] == "3", "2.4 seconds, rounded up"


def test_each_limit_that_is_set_costs_one_statement(member: Membership, settings: Any) -> None:
    caller = ApiClient(api_key_for(member))
    caller.ok("GET", "auth/me")
    counts = []
    for limits in ({}, {"user": 9}, {"address": 9, "credential": 9, "user": 9, "project": 9}):
        settings.REQUESTS_PER_MINUTE = limits
        with CaptureQueriesContext(
            connection,
        ) as asked:
            caller.ok("GET", "auth/me")
        counts.append(len(asked))
    assert counts == [counts[0], counts[0] + 1, counts[0] + 4]
