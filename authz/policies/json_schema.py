"""JSON Schema 2020-12, compiled once: linear in time, closed to the network, silent about values.

https://json-schema.org/draft/2020-12/schema
"""

from collections.abc import Callable, Iterator
from typing import Any

import jsonschema_rs

from intmod_site.api.errors import ValidationFailed

PATTERN_BYTES = 1 << 20
"""Memory that one compiled pattern may take."""

# The engine without backtracking: look-around and back-references are refused when a policy is
# saved, and no text makes a pattern slow. https://docs.rs/regex/latest/regex/#untrusted-input
_PATTERNS = jsonschema_rs.RegexOptions(size_limit=PATTERN_BYTES, dfa_size_limit=PATTERN_BYTES)

FORMATS = frozenset({
    "date", "date-time", "time", "duration", "email", "idn-email", "hostname", "idn-hostname",
    "ipv4", "ipv6", "uri", "uri-reference", "iri", "iri-reference", "uuid", "uri-template",
    "json-pointer", "relative-json-pointer", "regex",
})  # fmt: skip


def compiled(schema: dict[str, Any], *, at: str) -> jsonschema_rs.Draft202012Validator:
    """Compile a schema.

    Args:
        schema: The schema, within the limits of `authz.policies.schema_limits`.
        at: JSON Pointer of the schema, for errors.

    Raises:
        ValidationFailed: It is no JSON Schema 2020-12, or a pattern needs backtracking.
    """
    try:
        return jsonschema_rs.Draft202012Validator(
            schema, validate_formats=True, pattern_options=_PATTERNS, offline=True
        )
    except jsonschema_rs.ValidationError as error:
        place = "".join(f"/{part}" for part in error.instance_path)
        if place.endswith("/pattern") or "/patternProperties" in place:
            raise ValidationFailed.of(
                f"{at}{place}",
                "Not a regular expression that can be matched in linear time: look-around and "
                "back-references are not supported, and it may not be too large.",
            ) from None
        raise ValidationFailed.of(
            f"{at}{place}", f"Not JSON Schema 2020-12: {error.message[:300]}"
        ) from None


def problems(
    validator: jsonschema_rs.Draft202012Validator, value: Any
) -> Iterator[tuple[tuple[str | int, ...], tuple[str | int, ...], str]]:
    """Give where in the value, by which keyword, and what is wrong; no value of it is told."""
    for error in validator.iter_errors(value):
        kind = error.kind.name
        place: tuple[str | int, ...] = tuple(error.instance_path)
        if kind == "required":
            place = (*place, error.kind.as_dict()["property"])
        yield place, tuple(error.schema_path), _message(kind, error.kind.as_dict())


def _message(kind: str, told: dict[str, Any]) -> str:
    say = _MESSAGES.get(kind)
    return say(told) if say else f"This does not satisfy the rule {kind}."


_MESSAGES: dict[str, Callable[[dict[str, Any]], str]] = {
    "required": lambda _: "This field is required.",
    "type": lambda told: f"This must be of the type {' or '.join(told['types'])}.",
    "minimum": lambda told: f"This must be at least {told['limit']}.",
    "maximum": lambda told: f"This must be at most {told['limit']}.",
    "exclusiveMinimum": lambda told: f"This must be more than {told['limit']}.",
    "exclusiveMaximum": lambda told: f"This must be less than {told['limit']}.",
    "minLength": lambda told: f"This must have at least {told['limit']} characters.",
    "maxLength": lambda told: f"This must have at most {told['limit']} characters.",
    "minItems": lambda told: f"This must have at least {told['limit']} items.",
    "maxItems": lambda told: f"This must have at most {told['limit']} items.",
    "pattern": lambda _: "This does not match the pattern.",
    "format": lambda told: f"This is not of the format {told['format']}.",
    "enum": lambda _: "This is none of the allowed values.",
    "const": lambda _: "This is not the allowed value.",
    "additionalProperties": lambda _: "This has fields that are not allowed.",
    "unevaluatedProperties": lambda _: "This has fields that are not allowed.",
    "falseSchema": lambda _: "This is not allowed.",
}
