"""The secret as a parameter of the query, for systems that know nothing better."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from integrations.connections.auth.scheme import (
    ANY_TEXT,
    Credential,
    Outgoing,
    Setting,
    check_settings,
)

DEFAULT_PARAMETER = "api_key"
PARAMETER = re.compile(r"[A-Za-z0-9._~-]{1,100}")


class QueryKeyAuth:
    """`?<parameter>=<secret>`."""

    name = "query_key"
    needs_secret = True
    secret = ANY_TEXT

    def check(self, settings: Mapping[str, Any]) -> None:
        """Take the parameter's name."""
        what = "Letters, digits and . _ ~ -, at most 100."
        check_settings(settings, {"parameter": Setting(PARAMETER, what)})

    def secret_goes_to(self, base_url: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The system itself."""
        return (base_url,)

    def prove(self, request: Outgoing, credential: Credential) -> Outgoing:
        """Put the parameter behind those that are there."""
        name = credential.settings.get("parameter", DEFAULT_PARAMETER)
        link = "&" if "?" in request.url else "?"
        return replace(
            request, url=f"{request.url}{link}{name}={quote(credential.secret or '', safe='')}"
        )
