"""Client credentials exchanged for an access token. https://www.rfc-editor.org/rfc/rfc6749#section-4.4

Pure: what to ask the token endpoint and what its answer means. Asking and remembering is
`integrations.connections.tokens`.
"""

import base64
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus, urlencode

from integrations.connections.auth.scheme import (
    ANY_TEXT,
    HEADER_VALUE,
    Credential,
    Outgoing,
    Setting,
    check_settings,
)
from integrations.http.errors import InvalidUrl
from integrations.http.guard import parse_url
from intmod_site.api.errors import MalformedRequest, ValidationFailed
from intmod_site.api.strict_json import parse_json

ANSWER_LIMIT_BYTES = 64 * 1024
DEFAULT_LIFETIME_S = 300.0
LONGEST_LIFETIME_S = 30 * 86_400.0


class TokenRefused(Exception):
    """The token endpoint gave no token; the message names its status or error code only."""


class ClientCredentialsAuth:
    """`Authorization: Bearer <access token>`; the secret is the client's."""

    name = "oauth2_client_credentials"
    needs_secret = True
    secret = ANY_TEXT

    def check(self, settings: Mapping[str, Any]) -> None:
        """Take the token endpoint and the client's id; scope and audience where needed."""
        check_settings(
            settings,
            {
                "token_url": Setting(re.compile(r"[\x21-\x7e]{1,2000}"), "A URL.", required=True),
                "client_id": Setting(ANY_TEXT, "The client's id.", required=True),
                "scope": Setting(re.compile(r"[\x20-\x7e]{1,1000}"), "Scopes and spaces."),
                "audience": Setting(re.compile(r"[\x21-\x7e]{1,1000}"), "A URI."),
                "client_auth": Setting(re.compile("basic|body"), "basic or body."),
            },
        )
        try:
            parse_url(settings["token_url"])
        except InvalidUrl as error:
            raise ValidationFailed.of("/auth_settings/token_url", str(error)) from None

    def secret_goes_to(self, base_url: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """The token endpoint; what it gives for the secret goes to the system."""
        return (base_url, settings["token_url"])

    def prove(self, request: Outgoing, credential: Credential) -> Outgoing:
        """Put the access token on."""
        proof = {"Authorization": f"Bearer {credential.token()}"}
        return replace(request, headers={**request.headers, **proof})


def token_request(settings: Mapping[str, Any], secret: str) -> Outgoing:
    """Say what to ask the token endpoint; the client proves itself as 2.3.1 says."""
    fields = {"grant_type": "client_credentials"}
    fields |= {name: settings[name] for name in ("scope", "audience") if settings.get(name)}
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    if settings.get("client_auth") == "body":
        fields |= {"client_id": settings["client_id"], "client_secret": secret}
    else:
        pair = f"{quote_plus(settings['client_id'])}:{quote_plus(secret)}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return Outgoing("POST", settings["token_url"], headers, urlencode(fields).encode())


def read_token(status: int, body: bytes) -> tuple[str, float]:
    """Give the access token and for how many seconds it counts (5.1).

    Raises:
        TokenRefused: There is none in the answer.
    """
    try:
        answer = parse_json(body, limit_bytes=ANSWER_LIMIT_BYTES)
    except MalformedRequest:
        answer = None
    answer = answer if isinstance(answer, dict) else {}
    if status != 200:
        code = answer.get("error")
        known = isinstance(code, str) and re.fullmatch(r"[a-z_]{1,60}", code)
        raise TokenRefused(f"The token endpoint answered {status}{f' ({code})' if known else ''}.")
    token, lifetime_s = answer.get("access_token"), answer.get("expires_in", DEFAULT_LIFETIME_S)
    if not isinstance(token, str) or len(token) > 8192 or not HEADER_VALUE.fullmatch(token):
        raise TokenRefused("The token endpoint's answer has no access token.")
    if str(answer.get("token_type", "bearer")).lower() != "bearer":
        raise TokenRefused("The token endpoint gives tokens of a type that is not Bearer.")
    return token, _seconds(lifetime_s)


def _seconds(lifetime_s: Any) -> float:
    # Some send the number as a text.
    if isinstance(lifetime_s, str) and lifetime_s.isascii() and lifetime_s.isdigit():
        lifetime_s = float(lifetime_s[:12])
    if isinstance(lifetime_s, bool) or not isinstance(lifetime_s, int | float):
        return DEFAULT_LIFETIME_S
    if not math.isfinite(lifetime_s) or lifetime_s <= 0:
        return DEFAULT_LIFETIME_S
    return min(float(lifetime_s), LONGEST_LIFETIME_S)
