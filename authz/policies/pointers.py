"""JSON Pointers (RFC 6901): making them, reading them, following them."""

from collections.abc import Iterable
from typing import Any

MISSING = object()
"""Where a pointer leads to nothing; None is a value."""


def pointer_of(parts: Iterable[str | int]) -> str:
    """Give the pointer to a place; empty for the whole."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in parts)


def parts_of(reference: str) -> tuple[str, ...]:
    """Give the parts of a pointer; a text without a slash in front is one field's name.

    >>> parts_of("/customer/e~1mail"), parts_of("email")
    (('customer', 'e/mail'), ('email',))
    """
    if not reference.startswith("/"):
        return (reference,)
    return tuple(part.replace("~1", "/").replace("~0", "~") for part in reference[1:].split("/"))


def follow(value: Any, parts: tuple[str, ...]) -> Any:
    """Give what a pointer leads to, or MISSING."""
    for part in parts:
        if isinstance(value, dict):
            if part not in value:
                return MISSING
            value = value[part]
        elif isinstance(value, list) and part.isascii() and part.isdigit() and len(part) <= 9:
            index = int(part)
            if index >= len(value) or part != str(index):
                return MISSING
            value = value[index]
        else:
            return MISSING
    return value
