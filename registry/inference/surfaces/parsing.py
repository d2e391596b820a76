"""Reading a surface's request; what is refused here is on record like every call."""

from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from authz.identity.principal import Principal
from intmod_site.api.bodies import parse_body
from intmod_site.api.errors import ApiError
from registry.inference.records import record_refusal

Request = TypeVar("Request", bound=msgspec.Struct)
Checked = TypeVar("Checked")


def parsed(
    principal: Principal,
    task: str,
    body: Any,
    kind: type[Request],
    check: Callable[[Request], Checked],
) -> tuple[Request, Checked]:
    """Give the request, and what its check makes of it.

    Raises:
        ValidationFailed: Naming the field that does not fit.
    """
    try:
        request = parse_body(_asked(body, kind), kind)
        return request, check(request)
    except ApiError as refused:
        reference = body.get("model") if isinstance(body, dict) else None
        record_refusal(principal=principal, task=task, reference=reference, error=refused)
        raise


def _asked(body: Any, kind: type[Request]) -> Any:
    """Leave out fields that are not known and null: they ask for nothing, and clients send them."""
    if not isinstance(body, dict):
        return body
    known = kind.__struct_fields__
    return {name: value for name, value in body.items() if value is not None or name in known}
