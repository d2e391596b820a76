"""What a way of proving oneself is to the call path. Pure: nothing here asks anybody anything.

An adapter is one file beside this one, one line in `SCHEMES` and one file of tests.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from intmod_site.api.errors import ValidationFailed

HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")  # token, RFC 9110, 5.6.2
HEADER_VALUE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?")
ANY_TEXT = re.compile(r"[^\x00-\x1f\x7f]+")


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request before it is on its way; all but the method stays out of `repr`.

    Args:
        method: Upper case.
        url: Whole.
        headers: By name.
        body: The bytes to send, or None.
    """

    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Credential:
    """What there is to prove oneself with.

    Args:
        secret: The stored api_key in plain text, if there is one.
        settings: What the scheme needs besides, as `check` let it pass.
        token: Gives an access token, for schemes that ask for one first.
        now_s: Seconds since the epoch.
    """

    secret: str | None = field(repr=False)
    settings: Mapping[str, Any]
    token: Callable[[], str]
    now_s: float


class AuthScheme(Protocol):
    """Proves to an external system who is calling."""

    name: str
    needs_secret: bool
    secret: re.Pattern[str]
    """What the secret must look like to be sent this way."""

    def check(self, settings: Mapping[str, Any]) -> None:
        """Let settings pass.

        Raises:
            ValidationFailed: One is missing, unknown or odd.
        """
        ...

    def secret_goes_to(self, base_url: str, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """Give the URLs of those who are shown the secret, or what it was exchanged for."""
        ...

    def prove(self, request: Outgoing, credential: Credential) -> Outgoing:
        """Give the request with the proof on it."""
        ...


@dataclass(frozen=True, slots=True)
class Setting:
    """One of a scheme's settings: a text.

    Args:
        pattern: What it looks like.
        what: The same for people.
        required: Whether it must be there.
    """

    pattern: re.Pattern[str]
    what: str
    required: bool = False


def check_settings(
    settings: Mapping[str, Any], known: Mapping[str, Setting], *, field: str = "auth_settings"
) -> None:
    """Refuse unknown, missing and odd settings.

    Args:
        settings: What somebody set.
        known: What there is to set.
        field: What the settings are called where they are set.

    Raises:
        ValidationFailed: Naming the first.
    """
    for name in settings:
        if name not in known:
            offered = ", ".join(sorted(known)) or "none"
            raise ValidationFailed.of(
                field, f"{name[:100]!a} is unknown; this scheme takes: {offered}."
            )
    for name, setting in known.items():
        value = settings.get(name)
        if value is None and name not in settings:
            if setting.required:
                raise ValidationFailed.of(
                    f"/{field}/{name}", "This scheme needs it.", code="required"
                )
            continue
        if not isinstance(value, str) or len(value) > 2000 or not setting.pattern.fullmatch(value):
            raise ValidationFailed.of(f"/{field}/{name}", setting.what)
