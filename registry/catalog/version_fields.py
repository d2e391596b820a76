"""What a version may say: limits, prices, parameters and tasks, checked before it is saved."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

import jsonschema_rs

from integrations.models import Integration
from intmod_site.api.errors import ValidationFailed
from registry.catalog.capabilities import callable_providers, is_remote, tasks_of
from registry.catalog.tags import check_tags
from registry.models import ModelVersion
from registry.tasks import TASKS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
PRICES = {
    "input_usd_per_mtok", "output_usd_per_mtok", "cached_input_usd_per_mtok",
    "cache_write_usd_per_mtok",
}  # fmt: skip
MAX_TOKENS = 1_000_000
MAX_FALLBACKS = 10
MAX_PRICE_LENGTH = 30
FALLBACK_CAUSES = ("error", "context_length", "content_filter")


def check_version(version: ModelVersion) -> None:
    """Refuse a version that could not be called as it says.

    Raises:
        ValidationFailed: Naming the field.
        django.core.exceptions.ValidationError: A column's own rule is broken.
    """
    check_tags(version.tags)
    _check_tasks(version)
    _check_limits(version.limits)
    check_prices(version.prices)
    _check_parameters(version.parameters)
    _check_fallbacks(version.fallbacks)
    _check_schemas(version)
    _check_integration(version)
    # Numbers and names are settled by their constraints, and ids are new.
    version.full_clean(exclude=["project", "model", "integration", "id"])


def _check_schemas(version: ModelVersion) -> None:
    for name in ("input_schema", "output_schema"):
        schema = getattr(version, name)
        if not isinstance(schema, dict):
            raise ValidationFailed.of(name, "An object.")
        if not schema:
            continue
        if schema.get("$schema", DIALECT) != DIALECT:
            raise ValidationFailed.of(f"/{name}/$schema", f"This is {DIALECT}.")
        try:
            jsonschema_rs.meta.validate({"$schema": DIALECT, **schema})
        except jsonschema_rs.ValidationError as error:
            raise ValidationFailed.of(
                name, f"No JSON Schema 2020-12: {error.message[:200]}"
            ) from None


def _check_tasks(version: ModelVersion) -> None:
    unknown = sorted(set(version.tasks) - set(TASKS))
    if unknown:
        raise ValidationFailed.of("tasks", f"{unknown[0]} is none of {', '.join(TASKS)}.")
    version.tasks = [task for task in TASKS if task in version.tasks]
    if not version.tasks:
        return
    possible = tasks_of(version.provider, version.provider_model)
    if possible is None:
        raise ValidationFailed.of(
            "tasks",
            f"Models of the provider {version.provider} can be registered but not called; "
            f"callable are: {', '.join(callable_providers())}.",
        )
    missing = [task for task in version.tasks if task not in possible]
    if missing:
        raise ValidationFailed.of(
            "tasks", f"{version.provider_model} of {version.provider} cannot {missing[0]}."
        )


def _check_limits(limits: Any) -> None:
    _check_keys("limits", limits, {"max_tokens"})
    _check_each("limits", limits, _is_token_count, f"a whole number from 1 to {MAX_TOKENS}")


def _check_parameters(parameters: Any) -> None:
    if not isinstance(parameters, dict):
        raise ValidationFailed.of("parameters", "An object.")
    rules: dict[str, tuple[Callable[[Any], bool], str]] = {
        "max_tokens": (_is_token_count, f"a whole number from 1 to {MAX_TOKENS}"),
        "temperature": (_is_temperature, "a number from 0 to 2"),
        "system": (lambda value: isinstance(value, str), "text"),
        "stop": (_is_stop, "a text or a list of at most 8 texts"),
    }
    for name, (holds, what) in rules.items():
        if name in parameters and not holds(parameters[name]):
            raise ValidationFailed.of(f"/parameters/{name}", f"This is {what}.")


def check_prices(prices: Any, field: str = "prices") -> None:
    """Refuse what are no prices, and write those that are as text.

    Raises:
        ValidationFailed: Naming the field.
    """
    _check_keys(field, prices, PRICES)
    _check_each(field, prices, _is_price, "a decimal number of USD, zero or more")
    for name, value in prices.items():
        # Stored as text: JSON's numbers are binary fractions, and money is not.
        prices[name] = format(Decimal(str(value)), "f")


def _check_integration(version: ModelVersion) -> None:
    if version.integration_id is None:
        if version.tasks and is_remote(version.provider):
            raise ValidationFailed.of(
                "integration",
                f"Models of {version.provider} are called through an integration; name one.",
                code="required",
            )
        return
    # Locked here, because the database checks the reference only at the commit: by then the
    # revision is locked too, and whoever removes the integration would be waiting for that.
    owned = Integration.objects.in_project(version.project_id).select_for_update(no_key=True)
    if owned.filter(pk=version.integration_id).first() is None:
        raise ValidationFailed.of("integration", "There is no such integration in this project.")


def _check_fallbacks(fallbacks: Any) -> None:
    if not isinstance(fallbacks, list) or len(fallbacks) > MAX_FALLBACKS:
        raise ValidationFailed.of("fallbacks", f"A list of at most {MAX_FALLBACKS}.")
    for index, edge in enumerate(fallbacks):
        at = f"/fallbacks/{index}"
        if not isinstance(edge, dict) or set(edge) - {"model", "on"}:
            raise ValidationFailed.of(at, 'An object like {"model": "name", "on": ["error"]}.')
        if not (isinstance(edge.get("model"), str) and 0 < len(edge["model"]) <= 300):
            raise ValidationFailed.of(f"{at}/model", "What a caller would write as the model.")
        on = edge.get("on", ["error"])
        if not isinstance(on, list) or not on or not all(word in FALLBACK_CAUSES for word in on):
            raise ValidationFailed.of(f"{at}/on", f"Some of: {', '.join(FALLBACK_CAUSES)}.")


def _check_keys(field: str, value: Any, known: set[str]) -> None:
    if not isinstance(value, dict):
        raise ValidationFailed.of(field, "An object.")
    unknown = sorted(set(value) - known)
    if unknown:
        raise ValidationFailed.of(
            f"/{field}/{unknown[0]}", f"Unknown; known are: {', '.join(sorted(known))}."
        )


def _check_each(field: str, value: dict[str, Any], holds: Callable[[Any], bool], what: str) -> None:
    for name, item in value.items():
        if not holds(item):
            raise ValidationFailed.of(f"/{field}/{name}", f"This is {what}.")


def _is_token_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MAX_TOKENS


def _is_temperature(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 2


def _is_stop(value: Any) -> bool:
    texts = value if isinstance(value, list) else [value]
    return len(texts) <= 8 and all(isinstance(text, str) and text for text in texts)


def _is_price(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    if len(str(value)) > MAX_PRICE_LENGTH:
        return False
    try:
        price = Decimal(str(value))
    except InvalidOperation:
        return False
    # Bounded, because a price is stored with all its digits: 1E-20000000 has 20 million.
    return price.is_finite() and 0 <= price <= 10**9 and int(price.as_tuple().exponent) >= -12
