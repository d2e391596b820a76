"""User name and password. https://www.rfc-editor.org/rfc/rfc7617"""

import base64
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from integrations.connections.auth.scheme import (
    ANY_TEXT,
    Credential,
    Outgoing,
    Setting,
    check_settings,
)

USERNAME = re.compile(r"[^\x00-\x1f\x7f:]{1,200}")


class BasicAuth:
    """`Authorization: Basic …`; the secret is the password, both in UTF-8."""

    name = "basic"
    needs_secret = True
    secret = ANY_TEXT

    def check(self, settings: Mapping[str, Any]) -> None:
        """Take the user name, in which no colon can stand."""
        username = Setting(USERNAME, "A user name without colon, to 200 characters.", required=True)
        check_settings(settings, {"username": username})

    def secret_goes_to(self, base_url: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The system itself."""
        return (base_url,)

    def prove(self, request: Outgoing, credential: Credential) -> Outgoing:
        """Put the header on."""
        pair = f"{credential.settings['username']}:{credential.secret}"
        proof = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        return replace(request, headers={**request.headers, **proof})
