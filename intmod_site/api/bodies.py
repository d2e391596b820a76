"""From a request's JSON to its checked form; what does not fit is named by JSON Pointer."""

import re
from typing import Any, TypeVar

import msgspec

from intmod_site.api.errors import FieldError, ValidationFailed

Request = TypeVar("Request", bound=msgspec.Struct)

_PATH = re.compile(r" - at `\$(?P<path>[^`]*)`$")
_FIELD = re.compile(r"^Object (?:missing required|contains unknown) field `(?P<name>.*)`$")


def parse_body(body: Any, kind: type[Request]) -> Request:
    """Give the request.

    Args:
        body: JSON as it was read.
        kind: What it must be.

    Raises:
        ValidationFailed: Naming the first field that does not fit.
    """
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as error:
        raise _named(str(error)) from None


def _named(text: str) -> ValidationFailed:
    where = _PATH.search(text)
    message = text[: where.start()] if where else text
    path = _pointer(where["path"]) if where else ""
    code = "invalid"
    if field := _FIELD.match(message):
        path += f"/{field['name']}"
        missing = "missing" in message
        code = "required" if missing else "unknown_field"
        message = "This field is required." if missing else "Unknown field."
    else:
        message = message.replace("`", "")
    shown = path.lstrip("/").replace("/", ".")
    return ValidationFailed(
        f"{shown}: {message}" if shown else message,
        fields=(FieldError(path or "/", code, message),),
    )


def _pointer(path: str) -> str:
    """From msgspec's `.messages[0].content` to `/messages/0/content`."""
    return re.sub(r"\.|\[", "/", path).replace("]", "")
