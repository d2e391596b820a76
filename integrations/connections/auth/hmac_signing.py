"""A signature over each request, made with the secret, which is never sent.

What is signed is four lines: the time, the method, path and query, and the body's hash.

    {timestamp}\\n{METHOD}\\n{/path?query}\\n{hex SHA-256 of the body}
"""

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from integrations.connections.auth.scheme import (
    ANY_TEXT,
    HEADER_NAME,
    Credential,
    Outgoing,
    Setting,
    check_settings,
)
from integrations.http.guard import parse_url
from integrations.http.messages import RESERVED_HEADERS
from intmod_site.api.errors import ValidationFailed

DEFAULTS = {
    "signature_header": "X-Signature",
    "timestamp_header": "X-Timestamp",
    "algorithm": "sha256",
    "encoding": "hex",
    "prefix": "",
}


class HmacAuth:
    """Two headers: when the request was signed (Unix seconds), and the HMAC."""

    name = "hmac"
    needs_secret = True
    secret = ANY_TEXT

    def check(self, settings: Mapping[str, Any]) -> None:
        """Take the headers' names, the hash, its encoding and what stands before it."""
        check_settings(
            settings,
            {
                "signature_header": Setting(HEADER_NAME, "A header's name."),
                "timestamp_header": Setting(HEADER_NAME, "A header's name."),
                "algorithm": Setting(re.compile("sha256|sha384|sha512"), "sha256, sha384, sha512."),
                "encoding": Setting(re.compile("hex|base64"), "hex or base64."),
                "prefix": Setting(re.compile(r"[\x20-\x7e]{0,100}"), "Printable ASCII."),
            },
        )
        names = [
            settings.get(name, DEFAULTS[name]).lower()
            for name in ("signature_header", "timestamp_header")
        ]
        if names[0] == names[1] or RESERVED_HEADERS & set(names):
            raise ValidationFailed.of("auth_settings", "Two headers of the system's own.")

    def secret_goes_to(self, base_url: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Nobody is shown it."""
        return ()

    def prove(self, request: Outgoing, credential: Credential) -> Outgoing:
        """Put time and signature on."""
        settings = DEFAULTS | dict(credential.settings)
        timestamp = str(int(credential.now_s))
        signed = signed_text(timestamp, request)
        digest = hmac.digest((credential.secret or "").encode(), signed, settings["algorithm"])
        hexadecimal = settings["encoding"] == "hex"
        signature = digest.hex() if hexadecimal else base64.b64encode(digest).decode()
        proof = {
            settings["timestamp_header"]: timestamp,
            settings["signature_header"]: settings["prefix"] + signature,
        }
        return replace(request, headers={**request.headers, **proof})


def signed_text(timestamp: str, request: Outgoing) -> bytes:
    """Give the bytes that are signed."""
    target = parse_url(request.url).target  # as it goes on the wire
    body_hash = hashlib.sha256(request.body or b"").hexdigest()
    return f"{timestamp}\n{request.method}\n{target}\n{body_hash}".encode()
