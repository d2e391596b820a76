"""The short form: fields that must be there, and a rule for each that is."""

import time
from typing import Any

import pytest

from tests.authz.policies.decisions import decided, pointers, refused_at


def test_the_guides_policy_is_a_policy() -> None:
    rules = {
        "required_fields": ["prompt"],
        "validation_rules": {
            "prompt": {"type": "string", "required": True},
            "max_tokens": {"type": "integer", "min": 1, "max": 1000},
        },
    }
    assert decided(rules, data={"prompt": "Hello", "max_tokens": 100}).allowed
    assert pointers(decided(rules, data={"max_tokens": 1001})) == [
        "/data/prompt",
        "/data/max_tokens",
    ]
    assert decided(rules, data={"prompt": ""}).allowed


@pytest.mark.parametrize(
    ("rule", "good", "bad"),
    [
        ({"type": "string"}, ["", "x"], [1, None, [], {}]),
        ({"type": "integer"}, [0, -3, 2.0], ["1", 1.5, True]),
        ({"type": ["string", "null"]}, ["x", None], [1]),
        ({"min": 2}, [2, 3.5], [1, 1.999]),
        ({"max": 2}, [2, -1], [2.1]),
        ({"min_length": 2}, ["ab", [1, 2]], ["a", [1]]),
        ({"max_length": 2}, ["ab", "äö", []], ["abc", [1, 2, 3]]),
        ({"pattern": "^[a-z]+$"}, ["abc"], ["Abc", ""]),
        ({"format": "email"}, ["a@example.com"], ["a"]),
        ({"one_of": ["a", 1, None]}, ["a", 1, None], ["b", 2, True]),
    ],
)
def test_each_rule_decides(rule: dict[str, Any], good: list[Any], bad: list[Any]) -> None:
    rules = {"validation_rules": {"field": rule}}
    for value in good:
        assert decided(rules, data={"field": value}).allowed, value
    for value in bad:
        assert pointers(decided(rules, data={"field": value})) == ["/data/field"], value
    assert decided(rules, data={}).allowed, "only a field that is there is judged"


def test_fields_are_named_by_pointers_too() -> None:
    rules = {
        "required_fields": ["/customer/email", "/lines/0/sku", "a/b", "/a~1b"],
        "validation_rules": {"/customer/age": {"min": 18}},
    }
    data = {"customer": {"email": "x", "age": 17}, "lines": [{"sku": 1}], "a/b": 1}
    assert pointers(decided(rules, data=data)) == ["/data/customer/age"]
    assert pointers(decided(rules, data={"lines": []})) == [
        "/data/customer/email", "/data/lines/0/sku", "/data/a~1b",
    ]  # fmt: skip


@pytest.mark.parametrize("data", [None, [], "text", 3, {"field": {}}])
def test_data_of_another_kind_lacks_its_fields(data: Any) -> None:
    rules = {"required_fields": ["name"], "validation_rules": {"/field/inner": {"min": 1}}}
    assert pointers(decided(rules, data=data)) == ["/data/name"]


def test_reasons_name_the_rule_and_tell_no_value() -> None:
    rules = {"validation_rules": {"a/b": {"type": "string", "max_length": 3, "one_of": ["x"]}}}
    reasons = decided(rules, data={"a/b": "s3cret"}).reasons
    assert {reason.rule for reason in reasons} == {
        "/validation_rules/a~1b/max_length",
        "/validation_rules/a~1b/one_of",
    }
    assert "s3cret" not in str(reasons)


def test_a_pattern_that_backtracks_elsewhere_answers_at_once() -> None:
    rules = {"validation_rules": {"text": {"pattern": "^(a+)+$"}}}
    began = time.thread_time()
    assert not decided(rules, data={"text": "a" * 50 + "!"}).allowed
    assert decided(rules, data={"text": "a" * 50}).allowed
    # A backtracking engine takes days for the first; the bound is there to fail, not to measure.
    assert time.thread_time() - began < 1


@pytest.mark.parametrize(
    ("rules", "pointer"),
    [
        ([], "/rules"),
        ({"requierd_fields": []}, "/rules/requierd_fields"),
        ({"required_fields": "name"}, "/rules/required_fields"),
        ({"required_fields": [1]}, "/rules/required_fields/0"),
        ({"required_fields": [""]}, "/rules/required_fields/0"),
        ({"validation_rules": []}, "/rules/validation_rules"),
        ({"validation_rules": {"a": "string"}}, "/rules/validation_rules/a"),
        ({"validation_rules": {"a": {"minimum": 1}}}, "/rules/validation_rules/a/minimum"),
        ({"validation_rules": {"a/b": {"x": 1}}}, "/rules/validation_rules/a~1b/x"),
        ({"validation_rules": {"a": {"type": "str"}}}, "/rules/validation_rules/a/type"),
        ({"validation_rules": {"a": {"type": []}}}, "/rules/validation_rules/a/type"),
        ({"validation_rules": {"a": {"type": [{}]}}}, "/rules/validation_rules/a/type"),
        ({"validation_rules": {"a": {"min": "1"}}}, "/rules/validation_rules/a/min"),
        ({"validation_rules": {"a": {"min": True}}}, "/rules/validation_rules/a/min"),
        ({"validation_rules": {"a": {"min": 3, "max": 2}}}, "/rules/validation_rules/a/min"),
        ({"validation_rules": {"a": {"max_length": -1}}}, "/rules/validation_rules/a/max_length"),
        ({"validation_rules": {"a": {"pattern": "["}}}, "/rules/validation_rules/a/pattern"),
        ({"validation_rules": {"a": {"pattern": "(?=x)"}}}, "/rules/validation_rules/a/pattern"),
        ({"validation_rules": {"a": {"pattern": r"(a)\1"}}}, "/rules/validation_rules/a/pattern"),
        (
            {"validation_rules": {"a": {"pattern": "a{1000}{1000}{1000}"}}},
            "/rules/validation_rules/a/pattern",
        ),
        ({"validation_rules": {"a": {"format": "emale"}}}, "/rules/validation_rules/a/format"),
        ({"validation_rules": {"a": {"format": []}}}, "/rules/validation_rules/a/format"),
        ({"validation_rules": {"a": {"one_of": []}}}, "/rules/validation_rules/a/one_of"),
        ({"validation_rules": {"a": {"required": 1}}}, "/rules/validation_rules/a/required"),
        (
            {"validation_rules": {"a": {"type": "string", "min": 1}}},
            "/rules/validation_rules/a/min",
        ),
        (
            {"validation_rules": {"a": {"type": "integer", "pattern": "x"}}},
            "/rules/validation_rules/a/pattern",
        ),
        ({"validation_rules": {"a": {"one_of": ["x" * 70_000]}}}, "/rules"),
        ({"validation_rules": {"a": {"one_of": ["\x00"]}}}, "/rules"),
        ({"validation_rules": {"\ud800": {}}}, "/rules"),
        ({"validation_rules": {"a": {"max": float("nan")}}}, "/rules"),
        ({"validation_rules": {"a": {"max": 2**63}}}, "/rules"),
    ],
)
def test_rules_that_cannot_be_enforced_are_refused_by_name(rules: Any, pointer: str) -> None:
    assert refused_at(rules) == pointer
