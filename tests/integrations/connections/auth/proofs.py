"""Proving with a scheme, for its tests."""

from typing import Any

from integrations.connections.auth import SCHEMES
from integrations.connections.auth.scheme import Credential, Outgoing
from intmod_site.api.errors import ValidationFailed

URL = "https://api.example.com/v1/things?a=1"


def prove(
    scheme: str,
    settings: dict[str, Any] | None = None,
    *,
    secret: str | None = "s3cret-value",
    url: str = URL,
    method: str = "POST",
    body: bytes | None = b"{}",
) -> Outgoing:
    SCHEMES[scheme].check(settings or {})
    credential = Credential(secret, settings or {}, lambda: "the-token", 1_700_000_000.9)
    return SCHEMES[scheme].prove(Outgoing(method, url, {"Accept": "*/*"}, body), credential)


def refused(scheme: str, settings: dict[str, Any]) -> str | None:
    """Give the path of the field that is refused; None if all is well."""
    try:
        SCHEMES[scheme].check(settings)
    except ValidationFailed as error:
        return error.fields[0].path
    return None
