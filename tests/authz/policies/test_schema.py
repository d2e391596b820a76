"""A whole JSON Schema 2020-12 as a policy, and the schemas that are refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.authz.policies.decisions import decided, pointers, refused_at

ORDER = {
    "type": "object",
    "required": ["lines"],
    "properties": {
        "lines": {"type": "array", "items": {"$ref": "#/$defs/line"}, "minItems": 1},
        "note": {"type": "string", "maxLength": 10},
    },
    "additionalProperties": False,
    "$defs": {
        "line": {
            "type": "object",
            "required": ["sku"],
            "properties": {"sku": {"type": "string"}, "count": {"type": "integer", "minimum": 1}},
        }
    },
}


def test_a_schema_decides_and_points_at_what_is_wrong() -> None:
    assert decided({"schema": ORDER}, data={"lines": [{"sku": "a", "count": 2}]}).allowed
    data = {"lines": [{"sku": "a"}, {"count": 0}], "note": "x" * 11, "more": 1}
    decision = decided({"schema": ORDER}, data=data)
    assert sorted(pointers(decision)) == [
        "/data", "/data/lines/1/count", "/data/lines/1/sku", "/data/note",
    ]  # fmt: skip
    assert pointers(decided({"schema": ORDER})) == ["/data/lines"], "no body is an empty object"


def test_reasons_are_recorded_without_the_callers_own_names() -> None:
    schema = {
        "additionalProperties": {"type": "object", "properties": {"known": {"type": "string"}}}
    }
    (reason,) = decided({"schema": schema}, data={"sk-secret": {"known": 4111111111111111}}).reasons
    assert reason.pointer == "/data/sk-secret/known"
    assert reason.recorded == "/data/*/known"
    assert "4111" not in str(reason)


def test_a_million_wrong_items_give_some_reasons() -> None:
    rules = {"schema": {"items": {"type": "string"}}}
    assert len(decided(rules, data=list(range(100_000))).reasons) == 20


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    for _ in range(depth):
        schema = {"items": schema}
    return schema


def doubling(steps: int) -> dict[str, Any]:
    defs: dict[str, Any] = {"s0": {"type": "string"}}
    for step in range(1, steps + 1):
        defs[f"s{step}"] = {"anyOf": [{"$ref": f"#/$defs/s{step - 1}"}] * 2}
    return {"$defs": defs, "$ref": f"#/$defs/s{steps}"}


LOOP = {"$defs": {"node": {"anyOf": [{"properties": {"a": {"$ref": "#/$defs/node"}}}]}}}


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ([], ""),
        ("true", ""),
        ({"$ref": "https://example.com/schema.json"}, "/$ref"),
        ({"$ref": "file:///etc/passwd"}, "/$ref"),
        ({"items": {"$ref": "other.json"}}, "/items/$ref"),
        ({"$ref": "#"}, "/$ref"),
        ({"$ref": "#/$defs/none"}, "/$ref"),
        ({"$ref": 1}, "/$ref"),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, "/$schema"),
        ({"$id": "https://example.com/"}, "/$id"),
        ({"$dynamicRef": "#x"}, "/$dynamicRef"),
        ({"properties": {"a": {"requierd": ["b"]}}}, "/properties/a/requierd"),
        ({"items": {"$defs": {}}}, "/items/$defs"),
        ({"items": {"$schema": ORDER}}, "/items/$schema"),
        ({"properties": []}, "/properties"),
        ({"properties": {"a": 3}}, "/properties/a"),
        ({"allOf": {}}, "/allOf"),
        ({"allOf": [3]}, "/allOf/0"),
        ({"type": "strnig"}, "/type"),
        ({"minimum": "1"}, "/minimum"),
        ({"multipleOf": 0}, "/multipleOf"),
        ({"format": "emale"}, "/format"),
        ({"pattern": "(?<=a)b"}, "/pattern"),
        ({"$defs": {"unused": {"type": "strnig"}}}, "/$defs/unused/type"),
        ({"$defs": {"unused": {"nonsense": 1}}}, "/$defs/unused/nonsense"),
        (nested(33), "/items" * 33),
        ({**LOOP, "$ref": "#/$defs/node"}, "/$defs/node"),
        (LOOP, "/$defs/node"),
    ],
)
def test_schemas_that_are_not_enforced_as_written_are_refused(schema: Any, pointer: str) -> None:
    assert refused_at({"schema": schema}) == f"/rules/schema{pointer}"


def test_a_pattern_as_a_name_needs_no_backtracking_either() -> None:
    assert refused_at({"schema": {"patternProperties": {"(?=a)": {}}}}).startswith("/rules/schema")
    rules = {"schema": {"patternProperties": {"^(a+)+$": True}, "additionalProperties": False}}
    assert not decided(rules, data={"a" * 50 + "!": 1}).allowed


def test_work_is_bounded_before_a_schema_is_compiled() -> None:
    assert decided({"schema": doubling(10)}, data="x").allowed
    assert refused_at({"schema": doubling(40)}).startswith("/rules/schema/$defs/")
    assert decided({"schema": nested(32)}, data={}).allowed


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(schema=json_values, data=json_values)
def test_any_schema_is_refused_or_decides(schema: Any, data: Any) -> None:
    from authz.policies.rules import check_rules
    from intmod_site.api.errors import ValidationFailed

    for rules in (schema, {"schema": schema}, {"validation_rules": schema}, {"hours": schema}):
        try:
            check_rules(rules)
        except ValidationFailed:
            continue
        decided(rules, data=data)
