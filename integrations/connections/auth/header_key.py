"""The secret in a header of the system's own choice, such as X-API-Key."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from integrations.connections.auth.scheme import (
    HEADER_NAME,
    HEADER_VALUE,
    Credential,
    Outgoing,
    Setting,
    check_settings,
)
from integrations.http.messages import RESERVED_HEADERS
from intmod_site.api.errors import ValidationFailed

DEFAULT_HEADER = "X-API-Key"
PREFIX = re.compile(r"[\x20-\x7e]{0,100}")


class HeaderKeyAuth:
    """`<header>: <prefix><secret>`."""

    name = "header_key"
    needs_secret = True
    secret = HEADER_VALUE

    def check(self, settings: Mapping[str, Any]) -> None:
        """Take the header's name, and what stands before the secret."""
        check_settings(
            settings,
            {
                "header": Setting(HEADER_NAME, "A header's name."),
                "prefix": Setting(PREFIX, "Printable ASCII, at most 100 characters."),
            },
        )
        if settings.get("header", DEFAULT_HEADER).lower() in RESERVED_HEADERS:
            raise ValidationFailed.of("/auth_settings/header", "This header cannot be set.")

    def secret_goes_to(self, base_url: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The system itself."""
        return (base_url,)

    def prove(self, request: Outgoing, credential: Credential) -> Outgoing:
        """Put the header on."""
        name = credential.settings.get("header", DEFAULT_HEADER)
        value = f"{credential.settings.get('prefix', '')}{credential.secret}"
        return replace(request, headers={**request.headers, name: value})
