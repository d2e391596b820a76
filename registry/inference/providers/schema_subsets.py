"""The parts of JSON Schema that providers can hold a model to.

The gateway checks the answer against the caller's whole schema, so what is left out here is not
lost; it is only not enforced while the model writes.
"""

from collections.abc import Iterator
from typing import Any

# https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
_OPENAI_KEYWORDS = frozenset(
    {"type", "properties", "required", "additionalProperties", "items", "enum", "const", "anyOf"}
    | {"$ref", "$defs", "definitions", "title", "description", "pattern", "format"}
    | {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
    | {"minItems", "maxItems"}
)
# https://platform.claude.com/docs/en/build-with-claude/structured-outputs#json-schema-limitations
_REFUSED_BY_ANTHROPIC = frozenset(
    {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}
    | {"minLength", "maxLength", "minItems", "maxItems", "uniqueItems"}
    | {"contains", "minContains", "maxContains"}
    | {"minProperties", "maxProperties", "propertyNames", "patternProperties", "$schema", "$id"}
)
_SCHEMAS_BY_NAME = ("properties", "$defs", "definitions")
_SCHEMA_LISTS = ("anyOf", "allOf", "oneOf")
_ONE_SCHEMA = ("items", "not")


def fits_openai_strict(schema: dict[str, Any]) -> bool:
    """Say whether OpenAI takes a schema with `strict`; it refuses the request if it does not.

    Every object must be closed and require all of its properties, the root must be an object,
    and only some keywords are known.
    """
    if schema.get("type") != "object" or "anyOf" in schema:
        return False
    return all(_is_strict(part) for part in _parts(schema))


def for_anthropic(schema: dict[str, Any]) -> dict[str, Any]:
    """Give the schema as Anthropic takes it: objects closed, limits on numbers and lengths gone.

    An object without named properties cannot be closed without becoming empty; it stays as it
    is, and Anthropic says what it thinks of it.
    """
    taken: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword in _REFUSED_BY_ANTHROPIC:
            continue
        if keyword in _SCHEMAS_BY_NAME and isinstance(value, dict):
            taken[keyword] = {name: _taken(part) for name, part in value.items()}
        elif keyword in _SCHEMA_LISTS and isinstance(value, list):
            taken[keyword] = [_taken(part) for part in value]
        else:
            taken[keyword] = _taken(value) if keyword in _ONE_SCHEMA else value
    if "properties" in taken:
        taken["additionalProperties"] = False
    return taken


def _taken(part: Any) -> Any:
    return for_anthropic(part) if isinstance(part, dict) else part


def _is_strict(part: Any) -> bool:
    if not isinstance(part, dict) or not part.keys() <= _OPENAI_KEYWORDS:
        return False
    kind = part.get("type")
    if kind == "object" or "properties" in part or (isinstance(kind, list) and "object" in kind):
        named, required = part.get("properties", {}), part.get("required", [])
        return (
            part.get("additionalProperties") is False
            and isinstance(named, dict)
            and isinstance(required, list)
            and sorted(map(str, required)) == sorted(named)
        )
    # Without one of these, anything would do, and strict mode has no "anything".
    return not part.keys().isdisjoint({"type", "enum", "const", "anyOf", "$ref"})


def _parts(schema: Any) -> Iterator[Any]:
    """Give the schema and all schemas within it."""
    yield schema
    if not isinstance(schema, dict):
        return
    for keyword, value in schema.items():
        if keyword in _SCHEMAS_BY_NAME and isinstance(value, dict):
            within = list(value.values())
        elif keyword in _SCHEMA_LISTS and isinstance(value, list):
            within = value
        else:
            within = [value] if keyword in _ONE_SCHEMA else []
        for part in within:
            yield from _parts(part)
