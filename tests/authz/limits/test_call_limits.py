"""Limits over the API: set, changed, removed; what is none is named."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from authz.limits.call_limits import forget_ended_windows
from authz.models import APIKey, AuditEvent, CallLimit, HoldAccount
from tests.api_client import ApiClient
from tests.factories.authz import MembershipFactory, ProjectFactory, api_key_for

PATH = "auth/limits"


@pytest.fixture
def membership(db: None) -> Any:
    return MembershipFactory(project__slug="shop", role_name="admin")


@pytest.fixture
def api(membership: Any) -> ApiClient:
    return ApiClient(api_key_for(membership))


def test_the_life_of_a_limit(api: ApiClient) -> None:
    created = api.ok("POST", PATH, {"requests_per_minute": 60, "budget_usd": "12.5"})
    assert (created["api_key"], created["requests_per_minute"]) == (None, 60)
    assert (created["budget_usd"], created["budget_window"]) == ("12.500000", "month")
    path = f"{PATH}/{created['id']}"
    changed = api.ok("PATCH", path, {"requests_per_minute": None, "budget_window": "day"})
    assert (changed["requests_per_minute"], changed["budget_window"]) == (None, "day")
    assert api.ok("GET", PATH)["results"] == [changed]
    api.ok("DELETE", path)
    api.refused(404, "GET", path)
    actions = list(AuditEvent.objects.values_list("action", flat=True).order_by("id"))
    assert actions[-3:] == ["calllimit.create", "calllimit.update", "calllimit.delete"]


def test_each_is_limited_once(api: ApiClient) -> None:
    key = str(APIKey.objects.get().pk)
    for body in ({"parallel_calls": 1}, {"parallel_calls": 1, "api_key": key}):
        api.ok("POST", PATH, body)
        api.refused(409, "POST", PATH, body)
    assert CallLimit.objects.count() == 2


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({}, "/"),
        ({"requests_per_minute": None}, "/"),
        ({"requests_per_minute": 0}, "/requests_per_minute"),
        ({"requests_per_minute": 2**40}, "/requests_per_minute"),
        ({"requests_per_minute": "6"}, "/requests_per_minute"),
        ({"parallel_calls": 1001}, "/parallel_calls"),
        ({"budget_usd": "-1"}, "/budget_usd"),
        ({"budget_usd": "NaN"}, "/budget_usd"),
        ({"budget_usd": "1", "budget_window": "week"}, "/budget_window"),
        ({"budget_usd": "1", "x": 1}, "/x"),
    ],
)
def test_what_is_no_limit_is_named(api: ApiClient, body: dict[str, Any], path: str) -> None:
    fields = api.refused(400, "POST", PATH, body)["error_details"]["fields"]
    assert (fields[0]["path"] if fields else "/") == path
    assert not CallLimit.objects.exists()


def test_another_projects_keys_and_limits_are_not_there(api: ApiClient) -> None:
    api_key_for(MembershipFactory(project=ProjectFactory(slug="bank")))
    theirs = APIKey.objects.get(project__slug="bank")
    body = {"parallel_calls": 1, "api_key": str(theirs.pk)}
    envelope = api.refused(400, "POST", PATH, body)
    assert envelope["error_details"]["fields"][0]["path"] == "/api_key"
    limit = CallLimit.objects.create(project=theirs.project, parallel_calls=1)
    api.refused(404, "GET", f"{PATH}/{limit.pk}")
    api.refused(404, "DELETE", f"{PATH}/{limit.pk}")
    assert api.ok("GET", PATH)["results"] == []


def test_developers_see_limits_and_change_none(api: ApiClient, membership: Any) -> None:
    member = MembershipFactory(project=membership.project, role_name="developer")
    developer = ApiClient(api_key_for(member))
    assert developer.ok("GET", PATH)["results"] == []
    developer.refused(403, "POST", PATH, {"parallel_calls": 1})


def test_windows_that_ended_are_forgotten_and_a_budget_for_good_is_not(db: None) -> None:
    now = datetime(2026, 11, 24, tzinfo=UTC)
    for key, days in (
        ("budget:key:1:2026-09", 40),
        ("parallel:key:1", 33),
        ("budget:key:1:always", 400),
        ("budget:key:1:2026-11", 31),
    ):
        changed = (now - timedelta(days=days)).timestamp()
        HoldAccount.objects.create(key=key, settled=1, changed_us=int(changed * 1_000_000))
    assert forget_ended_windows(now) == 2
    kept = set(HoldAccount.objects.values_list("key", flat=True))
    assert kept == {"budget:key:1:always", "budget:key:1:2026-11"}
