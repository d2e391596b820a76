"""An HMAC in a header, made as the settings say: for senders that have a way of their own.

What is signed is a template of `{id}`, `{timestamp}` and `{body}`: Slack's is
`v0:{timestamp}:{body}` with the prefix `v0=`.
"""

import base64
import binascii
import re
import secrets
from collections.abc import Mapping
from typing import Any

from authz.policies.pointers import follow, parts_of
from integrations.connections.auth.scheme import HEADER_NAME, Setting, check_settings
from integrations.webhooks.inbound.schemes.scheme import (
    Named,
    Proven,
    Received,
    SignatureRefused,
    Terms,
    any_matches,
    as_event_id,
    as_event_type,
    check_plain_secret,
    header,
    moment,
)
from intmod_site.api.errors import ValidationFailed

DEFAULTS = {
    "signature_header": "X-Signature",
    "signed": "{body}",
    "algorithm": "sha256",
    "encoding": "hex",
    "prefix": "",
}
_PLACE = re.compile(r"(\{[^{}]*\})")
_BODY, _TIMESTAMP, _ID = "{body}", "{timestamp}", "{id}"
_POINTER = re.compile(r"/[^\x00-\x1f\x7f]{1,200}")


class GenericHmac:
    """A header with the signature; id and type stand in headers or in the body."""

    name = "hmac"

    def check(self, settings: Mapping[str, Any]) -> None:
        """Take where signature, moment, id and type stand, what is signed, and how."""
        place, pointer = (
            Setting(HEADER_NAME, "A header's name."),
            Setting(_POINTER, "A JSON Pointer into the body."),
        )
        check_settings(
            settings,
            {
                "signature_header": place,
                "timestamp_header": place,
                "id_header": place,
                "id_pointer": pointer,
                "type_header": place,
                "type_pointer": pointer,
                "signed": Setting(re.compile(r"[\x20-\x7e]{1,200}"), "Printable ASCII."),
                "algorithm": Setting(re.compile("sha256|sha384|sha512"), "sha256, sha384, sha512."),
                "encoding": Setting(re.compile("hex|base64"), "hex or base64."),
                "prefix": Setting(re.compile(r"[\x20-\x7e]{0,100}"), "Printable ASCII."),
            },
            field="settings",
        )
        _check_signed(settings)

    def check_secret(self, secret: str) -> None:
        """Take any text; its UTF-8 is the key."""
        check_plain_secret(secret)

    def new_secret(self) -> str:
        """Make one to give to the sender."""
        return secrets.token_urlsafe(32)

    def verify(self, received: Received, terms: Terms) -> Proven:
        """Take the request if it is signed with one of the secrets, just now if that is signed."""
        settings = DEFAULTS | dict(terms.settings)
        given = _signature(header(received, settings["signature_header"]), settings)
        parts = {_BODY: received.body}
        if _TIMESTAMP in settings["signed"]:
            parts[_TIMESTAMP] = _ascii(header(received, settings["timestamp_header"]))
        if _ID in settings["signed"]:
            parts[_ID] = _ascii(header(received, settings["id_header"]))
        content = b"".join(
            parts.get(part, part.encode()) for part in _PLACE.split(settings["signed"])
        )
        keys = [secret.encode() for secret in terms.secrets]
        any_matches([given], keys, content, settings["algorithm"])
        signed_at = parts.get(_TIMESTAMP)
        return Proven(content, moment(signed_at.decode(), terms) if signed_at else None)

    def named(self, received: Received, payload: Any, settings: Mapping[str, Any]) -> Named:
        """Give what stands where the settings say."""
        return Named(
            as_event_id(_told("id", received, payload, settings)),
            as_event_type(_told("type", received, payload, settings)),
        )


def _check_signed(settings: Mapping[str, Any]) -> None:
    places = _PLACE.findall(settings.get("signed", DEFAULTS["signed"]))
    if places.count(_BODY) != 1 or not {*places} <= {_BODY, _TIMESTAMP, _ID}:
        raise ValidationFailed.of(
            "/settings/signed", "{body} once, and {timestamp} and {id} where they are signed too."
        )
    for place, name in ((_TIMESTAMP, "timestamp_header"), (_ID, "id_header")):
        if place in places and name not in settings:
            raise ValidationFailed.of(
                f"/settings/{name}", f"Where {place} comes from.", code="required"
            )
    if "timestamp_header" in settings and _TIMESTAMP not in places:
        raise ValidationFailed.of(
            "/settings/timestamp_header", "It proves nothing unless {timestamp} is signed."
        )
    for what in ("id", "type"):
        if f"{what}_header" in settings and f"{what}_pointer" in settings:
            raise ValidationFailed.of(f"/settings/{what}_pointer", f"Either this or {what}_header.")


def _signature(text: str, settings: Mapping[str, Any]) -> bytes:
    digits = text.removeprefix(settings["prefix"])
    try:
        if not text.startswith(settings["prefix"]) or not digits.isascii():
            raise ValueError  # noqa: TRY301 -- one refusal for all that it may not be
        if settings["encoding"] == "base64":
            return base64.b64decode(digits, validate=True)
        return bytes.fromhex(digits)
    except (binascii.Error, ValueError):
        raise SignatureRefused(
            f"{settings['signature_header']} is no signature as this source has them."
        ) from None


def _ascii(text: str) -> bytes:
    if not text.isascii():
        raise SignatureRefused("A header that is signed has characters beyond ASCII.")
    return text.encode()


def _told(what: str, received: Received, payload: Any, settings: Mapping[str, Any]) -> Any:
    if pointer := settings.get(f"{what}_pointer"):
        return follow(payload, parts_of(pointer))
    return received.headers.get(settings.get(f"{what}_header", "").lower())
