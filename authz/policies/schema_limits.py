"""What a JSON Schema may hold to be a policy's: bounded in size, depth and work, closed in itself.

A schema of a few lines can ask for work without end (references that double at each step) or for
files of others (`$ref` to a URL), and a misspelt keyword checks nothing while looking as if it did.
"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from authz.policies.json_schema import FORMATS
from authz.policies.pointers import MISSING, follow, parts_of, pointer_of
from intmod_site.api.errors import ValidationFailed

MAX_DEPTH = 32
MAX_NODES = 10_000
"""Subschemas that a value may be held against; what references repeat counts each time."""

DRAFT = "https://json-schema.org/draft/2020-12/schema"

ONE = {
    "additionalProperties", "unevaluatedProperties", "unevaluatedItems", "items", "contains", "not",
    "if", "then", "else", "propertyNames",
}  # fmt: skip
"""Keywords whose value is a schema."""
LISTS = {"allOf", "anyOf", "oneOf", "prefixItems"}
MAPS = {"properties", "patternProperties", "dependentSchemas"}
PLAIN = {
    "type", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum",
    "exclusiveMinimum", "maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems",
    "maxContains", "minContains", "maxProperties", "minProperties", "required", "dependentRequired",
    "format", "title", "description", "default", "deprecated", "readOnly", "writeOnly", "examples",
    "$schema", "$comment", "$ref", "$defs",
}  # fmt: skip
KNOWN = ONE | LISTS | MAPS | PLAIN


def check_schema(schema: Any, *, at: str) -> None:
    """Refuse a schema that is too large, leads elsewhere, or says what is not understood.

    Args:
        schema: The schema.
        at: JSON Pointer of the schema, for errors.

    Raises:
        ValidationFailed: Naming the place.
    """
    if not isinstance(schema, dict):
        raise ValidationFailed.of(at, "A JSON Schema is an object.")
    if schema.get("$schema", DRAFT) != DRAFT:
        raise ValidationFailed.of(f"{at}/$schema", f"Only {DRAFT} is understood.")
    _Walk(schema, at).cost((), depth=0)
    # What no reference leads to is checked all the same.
    for name in _object(schema.get("$defs", {}), f"{at}/$defs"):
        _Walk(schema, at).cost(("$defs", name), depth=1)


class _Walk:
    """Counts what a schema comes to when its references are followed."""

    def __init__(self, root: dict[str, Any], at: str) -> None:
        self.root = root
        self.at = at
        self.known: dict[tuple[str, ...], int] = {}
        self.open: set[tuple[str, ...]] = set()

    def cost(self, place: tuple[str, ...], *, depth: int) -> int:
        """Give the number of subschemas at a place."""
        if place in self.known:
            return self.known[place]
        at = self.at + pointer_of(place)
        if depth > MAX_DEPTH:
            raise ValidationFailed.of(
                at, f"Nested deeper than {MAX_DEPTH} levels.", code="too_deep"
            )
        if place in self.open:
            raise ValidationFailed.of(at, "A schema that leads back into itself is not supported.")
        node = follow(self.root, place)
        if isinstance(node, bool):
            return 1
        self.open.add(place)
        self._check(_object(node, at), at)
        total = 1
        for child in self._children(node, place, at):
            total += self.cost(child, depth=depth + 1)
            if total > MAX_NODES:
                raise ValidationFailed.of(
                    at, f"More than {MAX_NODES} subschemas.", code="too_large"
                )
        self.open.discard(place)
        self.known[place] = total
        return total

    def _check(self, node: dict[str, Any], at: str) -> None:
        for name in node:
            if name not in KNOWN and not name.startswith("x-"):
                raise ValidationFailed.of(
                    at + pointer_of([name]), "Not a keyword that policies understand."
                )
        if "$defs" in node and at != self.at:
            raise ValidationFailed.of(f"{at}/$defs", "Definitions stand at the top.")
        if "$schema" in node and at != self.at:
            raise ValidationFailed.of(f"{at}/$schema", "The draft is named at the top.")
        if "format" in node and node["format"] not in FORMATS:
            raise ValidationFailed.of(f"{at}/format", f"One of {', '.join(sorted(FORMATS))}.")

    def _children(
        self, node: dict[str, Any], place: tuple[str, ...], at: str
    ) -> Iterator[tuple[str, ...]]:
        for name, value in node.items():
            if name in ONE:
                yield (*place, name)
            elif name in LISTS:
                if not isinstance(value, list):
                    raise ValidationFailed.of(f"{at}/{name}", "A list of schemas.")
                for index in range(len(value)):
                    yield (*place, name, str(index))
            elif name in MAPS:
                for inner in _object(value, f"{at}/{name}"):
                    yield (*place, name, inner)
            elif name == "$ref":
                yield self._target(value, at)

    def _target(self, reference: Any, at: str) -> tuple[str, ...]:
        if not isinstance(reference, str) or not reference.startswith("#/"):
            raise ValidationFailed.of(
                f"{at}/$ref",
                "References lead to this schema only: #/$defs/name.",
                code="remote_ref",
            )
        target = parts_of(unquote(reference[1:]))
        if follow(self.root, target) is MISSING:
            raise ValidationFailed.of(f"{at}/$ref", "This leads nowhere.")
        return target


def _object(value: Any, at: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValidationFailed.of(at, "An object, or here true or false.")
    return value
