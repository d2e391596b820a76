"""The short form of a policy: fields that must be there, and a rule for each that is.

    {"required_fields": ["email"], "validation_rules": {"age": {"type": "integer", "min": 18}}}

A field is named by its name, or by a JSON Pointer into the data.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from authz.policies.engine import PolicyRequest, Reason
from authz.policies.json_schema import FORMATS, compiled, problems
from authz.policies.pointers import MISSING, follow, parts_of, pointer_of
from intmod_site.api.errors import ValidationFailed

MAX_FIELDS = 500
MAX_FIELD_LENGTH = 200
TYPES = ("string", "integer", "number", "boolean", "array", "object", "null")
NUMERIC, SIZED = {"integer", "number"}, {"string", "array"}
KEYWORDS = {
    "type": ("type",),
    "min": ("minimum",),
    "max": ("maximum",),
    "min_length": ("minLength", "minItems"),
    "max_length": ("maxLength", "maxItems"),
    "pattern": ("pattern",),
    "format": ("format",),
    "one_of": ("enum",),
}
"""What each key of a rule is in JSON Schema."""
_KEYS = {keyword: key for key, keywords in KEYWORDS.items() for keyword in keywords}
RULE_KEYS = (*KEYWORDS, "required")


@dataclass(frozen=True, slots=True)
class RequiredFields:
    """These fields are there."""

    fields: tuple[tuple[tuple[str, ...], str], ...]
    needs = "data"

    def refusals(self, request: PolicyRequest) -> Iterator[Reason]:
        """Name each that is missing."""
        data = {} if request.data is None else request.data
        for parts, rule in self.fields:
            if follow(data, parts) is MISSING:
                yield Reason("/data" + pointer_of(parts), rule, "This field is required.")


@dataclass(frozen=True, slots=True)
class FieldRule:
    """If the field is there, it is as the rule says."""

    parts: tuple[str, ...]
    rule: str
    validator: jsonschema_rs.Draft202012Validator
    needs = "data"

    def refusals(self, request: PolicyRequest) -> Iterator[Reason]:
        """Give what is wrong with the field."""
        value = follow(request.data, self.parts)
        if value is MISSING or self.validator.is_valid(value):
            return
        for _, keyword, message in problems(self.validator, value):
            rule = self.rule + pointer_of([_KEYS[str(keyword[0])]])
            yield Reason("/data" + pointer_of(self.parts), rule, message)


def required_fields(names: Any, rules: Any, *, at: str) -> RequiredFields:
    """Compile the list of required fields, and the rules that say `required`.

    Raises:
        ValidationFailed: It is no list of field names.
    """
    if not isinstance(names, list) or len(names) > MAX_FIELDS:
        raise ValidationFailed.of(f"{at}/required_fields", f"A list of at most {MAX_FIELDS} names.")
    found: dict[tuple[str, ...], str] = {}
    for index, name in enumerate(names):
        place = f"{at}/required_fields/{index}"
        found.setdefault(_parts(name, place), f"/required_fields/{index}")
    for name, rule in rules.items():
        if isinstance(rule, dict) and rule.get("required") is True:
            place = pointer_of(["validation_rules", name])
            found.setdefault(_parts(name, at + place), f"{place}/required")
    return RequiredFields(tuple(found.items()))


def field_rules(rules: Any, *, at: str) -> list[FieldRule]:
    """Compile the rules of fields.

    Raises:
        ValidationFailed: Naming the rule that is not understood.
    """
    if not isinstance(rules, dict) or len(rules) > MAX_FIELDS:
        raise ValidationFailed.of(
            f"{at}/validation_rules", f"An object of at most {MAX_FIELDS} fields."
        )
    return [_field_rule(name, rule, at) for name, rule in rules.items()]


def _field_rule(name: str, rule: Any, at: str) -> FieldRule:
    pointer = pointer_of(["validation_rules", name])
    place = at + pointer
    parts = _parts(name, place)
    if not isinstance(rule, dict):
        raise ValidationFailed.of(place, f"An object with some of: {', '.join(RULE_KEYS)}.")
    for key, value in rule.items():
        if key not in RULE_KEYS:
            raise ValidationFailed.of(
                place + pointer_of([key]), f"Unknown rule; known are: {', '.join(RULE_KEYS)}."
            )
        _check_rule(key, value, place)
    _check_together(rule, place)
    schema = {
        keyword: rule[key]
        for key, keywords in KEYWORDS.items()
        if key in rule
        for keyword in keywords
    }
    return FieldRule(parts, pointer, compiled(schema, at=place))


def _check_rule(key: str, value: Any, place: str) -> None:
    holds, what = {
        "type": (_is_type, f"One of {', '.join(TYPES)}, or a list of them."),
        "min": (_is_number, "A number."),
        "max": (_is_number, "A number."),
        "min_length": (_is_count, "A whole number, zero or more."),
        "max_length": (_is_count, "A whole number, zero or more."),
        "pattern": (lambda text: isinstance(text, str) and len(text) <= 1000, "A pattern."),
        "format": (lambda text: text in FORMATS, f"One of {', '.join(sorted(FORMATS))}."),
        "one_of": (lambda some: isinstance(some, list) and 0 < len(some) <= 1000, "A list."),
        "required": (lambda flag: isinstance(flag, bool), "true or false."),
    }[key]
    try:
        right = holds(value)
    except TypeError:  # an unhashable value where a name is looked up
        right = False
    if not right:
        raise ValidationFailed.of(f"{place}/{key}", what)


def _check_together(rule: dict[str, Any], place: str) -> None:
    """Refuse rules that could never hold, or would check nothing of the type they name."""
    for low, high in (("min", "max"), ("min_length", "max_length")):
        if low in rule and high in rule and rule[low] > rule[high]:
            raise ValidationFailed.of(f"{place}/{low}", f"This is more than {high}.")
    if "type" not in rule:
        return
    types = {rule["type"]} if isinstance(rule["type"], str) else set(rule["type"])
    fitting = {"min": NUMERIC, "max": NUMERIC, "min_length": SIZED, "max_length": SIZED,
               "pattern": {"string"}, "format": {"string"}}  # fmt: skip
    for key, wanted in fitting.items():
        if key in rule and not types & wanted:
            raise ValidationFailed.of(
                f"{place}/{key}", f"This checks nothing of the type {', '.join(sorted(types))}."
            )


def _parts(name: Any, place: str) -> tuple[str, ...]:
    if not isinstance(name, str) or not 0 < len(name) <= MAX_FIELD_LENGTH:
        raise ValidationFailed.of(
            place, f"A field's name of at most {MAX_FIELD_LENGTH} characters."
        )
    return parts_of(name)


def _is_type(value: Any) -> bool:
    names = value if isinstance(value, list) else [value]
    return bool(names) and all(name in TYPES for name in names) and len(set(names)) == len(names)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31
