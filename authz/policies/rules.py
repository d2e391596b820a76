"""From a policy's rules, as people write them, to the checks that decide."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jsonschema_rs

from authz.policies import surroundings
from authz.policies.engine import Check, Policy, PolicyRequest, Reason
from authz.policies.fields import field_rules, required_fields
from authz.policies.json_schema import compiled, problems
from authz.policies.pointers import pointer_of
from authz.policies.schema_limits import check_schema
from intmod_site.api.errors import MalformedRequest, PayloadTooLarge, ValidationFailed
from intmod_site.api.strict_json import parse_json

MAX_BYTES = 65_536
"""Of the rules as JSON."""

COMPILED_POLICIES = 1000

_SURROUNDINGS: dict[str, Callable[..., Check]] = {
    "methods": surroundings.methods,
    "paths": surroundings.paths,
    "hours": surroundings.hours,
    "source_cidrs": surroundings.sources,
}
RULES = (
    "required_fields", "validation_rules", "schema", "methods", "paths", "hours", "source_cidrs",
    "max_response_bytes",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class WholeSchema:
    """The data satisfies a JSON Schema."""

    validator: jsonschema_rs.Draft202012Validator
    needs = "data"

    def refusals(self, request: PolicyRequest) -> Iterator[Reason]:
        """Give what does not."""
        data = {} if request.data is None else request.data
        if not self.validator.is_valid(data):
            for place, keyword, message in problems(self.validator, data):
                yield Reason("/data" + pointer_of(place), "/schema" + pointer_of(keyword), message)


def check_rules(rules: Any, *, at: str = "/rules") -> None:
    """Refuse rules that could not be enforced as they are written.

    Args:
        rules: As people write them.
        at: JSON Pointer of the rules, for errors.

    Raises:
        ValidationFailed: Naming the rule.
    """
    _compile(rules, at)


def policy_of(label: str, rules: dict[str, Any]) -> Policy:
    """Give the policy that enforces rules; compiled once in a process.

    Args:
        label: `name:version`.
        rules: Checked when they were saved.
    """
    return _remembered(label, json.dumps(rules))


@lru_cache(maxsize=COMPILED_POLICIES)
def _remembered(label: str, rules: str) -> Policy:
    document = json.loads(rules)
    return Policy(
        label,
        tuple(_compile(document, "")),
        vocabulary=frozenset(_words(document)),
        max_response_bytes=document.get("max_response_bytes"),
    )


def _compile(rules: Any, at: str) -> list[Check]:
    if not isinstance(rules, dict):
        raise ValidationFailed.of(at, f"An object with some of: {', '.join(RULES)}.")
    for name in rules:
        if name not in RULES:
            raise ValidationFailed.of(
                at + pointer_of([name]), f"Unknown rule; known are: {', '.join(RULES)}."
            )
    _check_json(rules, at)
    checks: list[Check] = [
        compile_one(rules[name], at=f"{at}/{name}")
        for name, compile_one in _SURROUNDINGS.items()
        if name in rules
    ]
    fields = field_rules(rules.get("validation_rules", {}), at=at)
    required = required_fields(
        rules.get("required_fields", []), rules.get("validation_rules", {}), at=at
    )
    checks += [required] if required.fields else []
    checks += fields
    if "schema" in rules:
        check_schema(rules["schema"], at=f"{at}/schema")
        checks.append(WholeSchema(compiled(rules["schema"], at=f"{at}/schema")))
    if "max_response_bytes" in rules:
        surroundings.response_bytes(rules["max_response_bytes"], at=f"{at}/max_response_bytes")
    return checks


def _check_json(rules: dict[str, Any], at: str) -> None:
    """Refuse what the API's parser would not have let through: forms have another one."""
    try:
        parse_json(json.dumps(rules).encode(), limit_bytes=MAX_BYTES)
    except PayloadTooLarge:
        raise ValidationFailed.of(at, f"Longer than {MAX_BYTES} bytes.", code="too_large") from None
    except (MalformedRequest, RecursionError, ValueError):
        raise ValidationFailed.of(at, "This cannot be stored as JSON.") from None


def _words(value: Any) -> Iterator[str]:
    """Give every name that the rules know, as it stands in pointers."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _words(name)
            yield from _words(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _words(inner)
    elif isinstance(value, str):
        yield pointer_of([value])[1:]
        yield from value.split("/") if value.startswith("/") else ()
