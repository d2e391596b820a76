"""The secret as a Bearer token. https://www.rfc-editor.org/rfc/rfc6750#section-2.1"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from integrations.connections.auth.scheme import HEADER_VALUE, Credential, Outgoing, check_settings


class BearerAuth:
    """`Authorization: Bearer <secret>`; without a secret nothing is sent."""

    name = "bearer"
    needs_secret = False
    secret = HEADER_VALUE

    def check(self, settings: Mapping[str, Any]) -> None:
        """Take no settings."""
        check_settings(settings, {})

    def secret_goes_to(self, base_url: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The system itself."""
        return (base_url,)

    def prove(self, request: Outgoing, credential: Credential) -> Outgoing:
        """Put the header on."""
        if credential.secret is None:
            return request
        proof = {"Authorization": f"Bearer {credential.secret}"}
        return replace(request, headers={**request.headers, **proof})
