"""Which part of an external system a call goes to: a path below the integration's base URL."""

import re
from urllib.parse import unquote

from integrations.http.errors import InvalidUrl
from integrations.http.guard import parse_url
from intmod_site.api.errors import ValidationFailed

LONGEST = 2000
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_BAD_ESCAPE = re.compile(r"%(?![0-9a-fA-F]{2})")
_NOT_IN_SEGMENT = re.compile(r"[/\\\x00-\x1f\x7f]")


def endpoint_url(base_url: str, endpoint: str, *, field: str = "endpoint") -> str:
    """Give the URL of an endpoint, which lies below the base for every server that reads it.

    Args:
        base_url: Without a slash at its end, and without a query.
        endpoint: Path and query; the slash in front may be left out.
        field: Which field to name in the refusal.

    Raises:
        ValidationFailed: It leads elsewhere, or two servers might read it differently.
    """
    if len(endpoint) > LONGEST:
        raise ValidationFailed.of(field, f"At most {LONGEST} characters.")
    if endpoint.startswith(("//", "\\")) or _SCHEME.match(endpoint):
        raise ValidationFailed.of(field, "A path below the integration's base URL.")
    target = endpoint if endpoint.startswith(("/", "?")) or not endpoint else f"/{endpoint}"
    path = target.partition("?")[0]
    if _BAD_ESCAPE.search(target):
        raise ValidationFailed.of(field, "A percent sign that escapes nothing.")
    for segment in path.split("/"):
        plain = unquote(segment, errors="replace")
        if plain in {".", ".."} or _NOT_IN_SEGMENT.search(plain):
            raise ValidationFailed.of(field, "A path without dot segments and escaped slashes.")
    url = base_url + target
    try:
        parse_url(url)
    except InvalidUrl as error:
        raise ValidationFailed.of(field, str(error)) from None
    return url


def path_of(endpoint: str) -> str:
    """Give the path below the base, as policies judge it."""
    path = endpoint.partition("?")[0]
    return path if path.startswith("/") else f"/{path}"


def masked(endpoint: str) -> str:
    """Give an endpoint as it may be kept: names of the query stay, values go."""
    path, mark, query = endpoint.partition("?")
    names = [part.partition("=")[0] for part in query.split("&")] if query else []
    return path + mark + "&".join(f"{name}=…" for name in names if name)
