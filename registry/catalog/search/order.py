"""In which order a search answers: `name ASC, updated_at DESC`."""

import re

from registry.catalog.search.tree import refuse

_PART = re.compile(r"\s*(`?)([a-z_.]+)\1(?:\s+(asc|desc))?\s*", re.IGNORECASE | re.ASCII)

MODEL_ORDERS = {
    "name": "name",
    "created_at": "created_at",
    "creation_timestamp": "created_at",
    "timestamp": "updated_at",
    "updated_at": "updated_at",
    "last_updated_timestamp": "updated_at",
}
VERSION_ORDERS = {
    **MODEL_ORDERS,
    "name": "model__name",
    "model_name": "model__name",
    "number": "number",
    "version_number": "number",
    "model_id": "identifier",
    "source_path": "source",
    "source": "source",
}
MAX_PARTS = 6


def keyset_of(text: str, orders: dict[str, str], *, default: tuple[str, ...]) -> tuple[str, ...]:
    """Give the ordering as ORM names, `-` for descending, made unique by the id at its end.

    Args:
        text: Comma-separated; empty means the default.
        orders: What may be ordered by, and its column.
        default: The order where none is asked for.

    Raises:
        ValidationFailed: A part is none that is known.
    """
    if not text.strip():
        return (*default, "id")
    parts = text.split(",")
    if len(parts) > MAX_PARTS:
        raise refuse(f"at most {MAX_PARTS} parts.", position=1, parameter="order_by")
    found: dict[str, str] = {}
    at = 1
    for part in parts:
        match = _PART.fullmatch(part)
        name = orders.get(match[2].lower().removeprefix("attribute.")) if match else None
        if match is None or name is None:
            offered = ", ".join(sorted(orders))
            raise refuse(
                f"expected one of {offered}, then ASC or DESC.", position=at, parameter="order_by"
            )
        found.setdefault(name, "-" if (match[3] or "").lower() == "desc" else "")
        at += len(part) + 1
    return (*(f"{sign}{name}" for name, sign in found.items()), "id")
