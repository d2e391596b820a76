"""Which headers may be set on calls to external systems."""

import re
from typing import Any

from integrations.http.messages import RESERVED_HEADERS
from intmod_site.api.errors import ValidationFailed

OURS = RESERVED_HEADERS | {"x-request-id"}
"""What frames the message is the transport's, the request id is the call's."""

CREDENTIAL = re.compile(r"authorization|cookie|api-?_?key|token|secret|password", re.IGNORECASE)
"""Headers are stored and shown in plain text: a credential belongs into the encrypted api_key."""

MAX_HEADERS = 50
MAX_VALUE_LENGTH = 4096
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")  # token, RFC 9110, 5.6.2
_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e\t]*[\x21-\x7e])?")


def check_headers(headers: Any) -> None:
    """Refuse what is not a map of header names to values, or would break the request's framing.

    Raises:
        ValidationFailed: Naming the header.
    """
    if not isinstance(headers, dict) or len(headers) > MAX_HEADERS:
        raise ValidationFailed.of("headers", f"An object of at most {MAX_HEADERS} headers.")
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise ValidationFailed.of("headers", f"{name!a} is not a header name.")
        if name.lower() in OURS:
            raise ValidationFailed.of("headers", f"{name} cannot be set.")
        if CREDENTIAL.search(name):
            raise ValidationFailed.of(
                "headers", f"{name} carries a credential; use api_key for it."
            )
        if (
            not isinstance(value, str)
            or len(value) > MAX_VALUE_LENGTH
            or not _VALUE.fullmatch(value)
        ):
            raise ValidationFailed.of(
                "headers", f"The value of {name} is not printable ASCII text."
            )
