"""One strict reading of JSON, the same on every route and for both databases.

RFC 8259 leaves several things to the reader, and each has been a way to break a service: which
of two equal keys counts, NaN, numbers that no column holds, NUL that PostgreSQL refuses, lone
surrogates that cannot be encoded again, nesting that exhausts the stack. Here they are refused.
"""

import json
import re
from collections.abc import Callable, Iterator
from math import isinf
from typing import Any, NoReturn

from intmod_site.api.errors import MalformedRequest, PayloadTooLarge

MAX_DEPTH = 64
MAX_INTEGER = 2**63 - 1
MAX_INTEGER_DIGITS = 19
_SUSPECT_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_SURROGATE = re.compile("[\ud800-\udfff]")


def parse_json(body: bytes, *, limit_bytes: int) -> Any:
    """Read one JSON text.

    Args:
        body: The text, UTF-8 without a byte order mark.
        limit_bytes: Longest body that is read at all.

    Raises:
        PayloadTooLarge: The body is longer than the limit.
        MalformedRequest: Anything else; the message says what and, where known, where.
    """
    if len(body) > limit_bytes:
        raise PayloadTooLarge(f"The body is larger than {limit_bytes} bytes.")
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedRequest(f"The body is not UTF-8 (byte {error.start}).") from None
    try:
        value = _DECODER.decode(text)
    except json.JSONDecodeError as error:
        raise MalformedRequest(
            f"The body is not JSON: {error.msg} (line {error.lineno}, column {error.colno})."
        ) from None
    except RecursionError:
        raise _too_deep() from None
    # A value nested deeper than MAX_DEPTH has more opening brackets than that, and only an
    # escape can spell NUL or a surrogate: most bodies need no second look.
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH:
        _check_depth(value)
    if _SUSPECT_ESCAPE.search(body):
        _check_text(value)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise MalformedRequest(f"The body has the key {_shown(twice)} twice in one object.")
    return members


def _bounded_integer(digits: str) -> int:
    if (
        len(digits) <= MAX_INTEGER_DIGITS + 1
        and -MAX_INTEGER - 1 <= (value := int(digits)) <= MAX_INTEGER
    ):
        return value
    raise MalformedRequest("The body has an integer that does not fit into 64 bits.")


def _finite(digits: str) -> float:
    value = float(digits)
    if isinf(value):
        raise MalformedRequest("The body has a number that is too large.")
    return value


def _no_constant(name: str) -> NoReturn:
    raise MalformedRequest(f"The body has {name}, which is not JSON.")


# Made once: json.loads would make one at each call.
_DECODER = json.JSONDecoder(
    object_pairs_hook=_unique,
    parse_int=_bounded_integer,
    parse_float=_finite,
    parse_constant=_no_constant,
)


def _too_deep() -> MalformedRequest:
    return MalformedRequest(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return
    if any(isinstance(item, dict | list) for item in level):
        raise _too_deep()


def _children(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        yield from value.values()
    elif isinstance(value, list):
        yield from value


def _check_text(value: Any) -> None:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            check_string(item, refuse=MalformedRequest)
        else:
            waiting.extend(item if isinstance(item, dict) else ())
            waiting.extend(_children(item))


def check_string(text: str, *, refuse: Callable[[str], Exception]) -> None:
    """Raise `refuse(message)` for text that not every database can store."""
    if "\x00" in text:
        raise refuse("The request has a NUL character, which text cannot hold.")
    if _SURROGATE.search(text):
        raise refuse("The request has a lone surrogate, which is not a character.")


def _shown(key: str) -> str:
    """Name a key in an error: short, and printable whatever it holds."""
    return ascii(key if len(key) <= 64 else key[:64] + "…")
