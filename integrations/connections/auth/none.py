"""No proof at all."""

from collections.abc import Mapping
from typing import Any

from integrations.connections.auth.scheme import ANY_TEXT, Credential, Outgoing, check_settings


class NoAuth:
    """For systems that ask nobody who is calling; a stored secret stays where it is."""

    name = "none"
    needs_secret = False
    secret = ANY_TEXT

    def check(self, settings: Mapping[str, Any]) -> None:
        """Take no settings."""
        check_settings(settings, {})

    def secret_goes_to(self, base_url: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Nobody is shown it."""
        return ()

    def prove(self, request: Outgoing, credential: Credential) -> Outgoing:
        """Leave the request as it is."""
        return request
