"""Methods, paths, hours and sources."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.authz.policies.decisions import NOON, decided, pointers, refused_at


def test_methods() -> None:
    rules = {"methods": ["GET", "HEAD"]}
    assert decided(rules, method="GET").allowed
    for method in ("POST", "get", "", None):
        assert pointers(decided(rules, method=method)) == ["/method"]


@pytest.mark.parametrize(
    ("pattern", "matching", "others"),
    [
        ("/v1/orders", ["/v1/orders", "v1/orders", "/v1/orders?page=2"], ["/v1/orders/", "/v1"]),
        ("/v1/orders/*", ["/v1/orders/7", "/v1/orders/a%20b"], ["/v1/orders", "/v1/orders/7/x"]),
        ("/v1/*/lines", ["/v1/7/lines"], ["/v1/lines", "/v1/7/8/lines"]),
        ("/v1/**", ["/v1/a", "/v1/a/b/c", "/v1/"], ["/v1", "/v2/a"]),
        ("/**", ["/", "/a/b"], []),
        ("/", ["/", ""], ["/a"]),
        ("/straße", ["/stra%C3%9Fe", "/straße"], ["/strasse"]),
    ],
)
def test_paths(pattern: str, matching: list[str], others: list[str]) -> None:
    rules = {"paths": ["/never", pattern]}
    for path in matching:
        assert decided(rules, path=path).allowed, path
    for path in others:
        assert pointers(decided(rules, path=path)) == ["/path"], path


@pytest.mark.parametrize(
    "path",
    ["/v1/../admin", "/v1/./x", "/v1/%2e%2e/admin", "/v1/%2E%2E%2Fadmin", "/v1/a%2fb", "/v1//x",
     "/v1/a\\b", "/v1/%5c..", "/v1/%252e%252e/x", "/v1/x;admin=1", "/v1/%00", "/v1/a%0d%0ab",
     "//v1/x", "/v1/%ff"],
)  # fmt: skip
def test_paths_that_can_be_read_in_two_ways_are_refused(path: str) -> None:
    assert pointers(decided({"paths": ["/**"]}, path=path)) == ["/path"]


@pytest.mark.parametrize(
    ("when", "allowed"),
    [
        (datetime(2026, 11, 23, 7, 0, tzinfo=UTC), True),  # Monday, 08:00 in Berlin
        (datetime(2026, 11, 23, 6, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 23, 17, 0, tzinfo=UTC), False),  # 18:00 is the end
        (datetime(2026, 7, 20, 6, 0, tzinfo=UTC), True),  # summer time
        (datetime(2026, 11, 22, 12, 0, tzinfo=UTC), False),  # Sunday
    ],
)
def test_hours_are_those_of_a_place(when: datetime, allowed: bool) -> None:
    days = ["mon", "tue", "wed", "thu", "fri"]
    window = {"days": days, "from": "08:00", "to": "18:00"}
    rules = {"hours": {"timezone": "Europe/Berlin", "windows": [window]}}
    assert decided(rules, at=when).allowed is allowed


@pytest.mark.parametrize(
    ("hour", "day", "allowed"), [(23, 23, True), (5, 24, True), (6, 24, False), (5, 23, False)]
)
def test_a_night_belongs_to_the_day_that_it_begins_on(hour: int, day: int, allowed: bool) -> None:
    rules = {"hours": {"windows": [{"days": ["mon"], "from": "22:00", "to": "06:00"}]}}
    assert decided(rules, at=datetime(2026, 11, day, hour, tzinfo=UTC)).allowed is allowed


def test_a_window_without_hours_is_the_whole_day() -> None:
    rules = {"hours": {"windows": [{"days": ["mon"]}]}}
    assert decided(rules, at=NOON).allowed
    assert decided(rules, at=NOON.replace(hour=0)).allowed
    assert not decided(rules, at=NOON.replace(day=24, hour=0)).allowed


@pytest.mark.parametrize(
    ("source", "allowed"),
    [("10.1.2.3", True), ("11.1.2.3", False), ("2001:db8::1", True), ("::ffff:10.1.2.3", True),
     ("::ffff:11.1.2.3", False), (None, False), ("", False), ("nonsense", False)],
)  # fmt: skip
def test_sources(source: str | None, allowed: bool) -> None:
    rules = {"source_cidrs": ["10.0.0.0/8", "2001:db8::/32"]}
    assert decided(rules, source=source).allowed is allowed


@pytest.mark.parametrize(
    ("rules", "pointer"),
    [
        ({"methods": []}, "/methods"),
        ({"methods": ["get"]}, "/methods/0"),
        ({"methods": "GET"}, "/methods"),
        ({"methods": [["GET"]]}, "/methods/0"),
        ({"paths": ["v1"]}, "/paths/0"),
        ({"paths": ["/a*"]}, "/paths/0"),
        ({"paths": ["/**/a"]}, "/paths/0"),
        ({"paths": ["/a/../b"]}, "/paths/0"),
        ({"paths": ["/a?b"]}, "/paths/0"),
        ({"paths": [{}]}, "/paths/0"),
        ({"hours": []}, "/hours"),
        ({"hours": {}}, "/hours/windows"),
        ({"hours": {"windows": [[]]}}, "/hours/windows/0"),
        ({"hours": {"windows": [{"day": "mon"}]}}, "/hours/windows/0/day"),
        ({"hours": {"windows": [{"days": ["monday"]}]}}, "/hours/windows/0/days/0"),
        ({"hours": {"windows": [{"from": "8:00"}]}}, "/hours/windows/0/from"),
        ({"hours": {"windows": [{"to": "25:00"}]}}, "/hours/windows/0/to"),
        ({"hours": {"windows": [{"from": 8}]}}, "/hours/windows/0/from"),
        ({"hours": {"windows": [{}], "timezone": "Mars/Base"}}, "/hours/timezone"),
        ({"hours": {"windows": [{}], "timezone": "../../etc/passwd"}}, "/hours/timezone"),
        ({"hours": {"windows": [{}], "timezone": 1}}, "/hours/timezone"),
        ({"source_cidrs": ["10.0.0.1/8"]}, "/source_cidrs/0"),
        ({"source_cidrs": ["anywhere"]}, "/source_cidrs/0"),
        ({"source_cidrs": [{}]}, "/source_cidrs/0"),
        ({"max_response_bytes": 0}, "/max_response_bytes"),
        ({"max_response_bytes": True}, "/max_response_bytes"),
        ({"max_response_bytes": "1"}, "/max_response_bytes"),
    ],
)  # fmt: skip
def test_rules_that_say_nothing_clear_are_refused(rules: Any, pointer: str) -> None:
    assert refused_at(rules) == f"/rules{pointer}"


def test_the_shortest_limit_of_an_answer_counts() -> None:
    from authz.policies.engine import PolicyRequest, decide
    from authz.policies.rules import policy_of

    policies = tuple(policy_of(f"p:{size}", {"max_response_bytes": size}) for size in (300, 200))
    decision = decide((*policies, policy_of("q:1", {})), PolicyRequest(at=NOON))
    assert decision.max_response_bytes == 200
    assert decision.label == "p:300 p:200 q:1"
