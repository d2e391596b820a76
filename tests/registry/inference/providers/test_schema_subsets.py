"""Which schemas a provider can hold its model to."""

from typing import Any

import pytest

from registry.inference.providers.schema_subsets import fits_openai_strict, for_anthropic
from tests.registry.inference.providers.calls import PERSON_SCHEMA


def closed(**properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


@pytest.mark.parametrize(
    "schema",
    [
        PERSON_SCHEMA,
        closed(),
        closed(a={"type": ["string", "null"]}, b={"type": "array", "items": PERSON_SCHEMA}),
        closed(a={"anyOf": [{"type": "string"}, {"$ref": "#/$defs/p"}]})
        | {"$defs": {"p": PERSON_SCHEMA}},
        # Names of properties are no keywords.
        closed(oneOf={"type": "string"}, default={"enum": [1, 2]}),
    ],
)
def test_closed_schemas_are_strict(schema: dict[str, Any]) -> None:
    assert fits_openai_strict(schema)


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object"},
        {"type": "string"},
        {**PERSON_SCHEMA, "additionalProperties": True},
        {**PERSON_SCHEMA, "required": ["name"]},
        {**PERSON_SCHEMA, "required": "name"},
        {**PERSON_SCHEMA, "anyOf": []},
        {**PERSON_SCHEMA, "properties": 5},
        closed(a={"type": "object", "properties": {}}),
        closed(a={"type": ["object", "null"]}),
        closed(a={"type": "array", "items": {"type": "object"}}),
        closed(a={"oneOf": [{"type": "string"}]}),
        closed(a={"type": "string", "default": "x"}),
        closed(a={}),
        closed(a=True),
        closed(a={"$ref": "#/$defs/p"}) | {"$defs": {"p": {"type": "object"}}},
    ],
)
def test_open_ones_are_not(schema: dict[str, Any]) -> None:
    assert not fits_openai_strict(schema)


def test_anthropic_gets_closed_objects_without_limits() -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            "minimum": {"type": "number", "minimum": 0, "description": "kept"},
            "tags": {"type": "array", "maxItems": 3, "items": {"type": "string", "maxLength": 9}},
            "either": {"anyOf": [{"type": "object", "properties": {}}, {"type": "null"}]},
            "free": {"type": "object"},
        },
        "required": ["minimum"],
        "$defs": {"p": {"type": "object", "properties": {}, "additionalProperties": True}},
    }
    before = repr(schema)
    assert for_anthropic(schema) == {
        "type": "object",
        "properties": {
            "minimum": {"type": "number", "description": "kept"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "either": {
                "anyOf": [
                    {"type": "object", "properties": {}, "additionalProperties": False},
                    {"type": "null"},
                ]
            },
            "free": {"type": "object"},
        },
        "required": ["minimum"],
        "$defs": {"p": {"type": "object", "properties": {}, "additionalProperties": False}},
        "additionalProperties": False,
    }
    assert repr(schema) == before


def test_what_is_no_schema_is_left_to_anthropic() -> None:
    assert for_anthropic({"items": True, "anyOf": 5}) == {"items": True, "anyOf": 5}
