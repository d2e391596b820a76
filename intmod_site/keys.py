"""The secrets that the process runs on, read from the environment or made for development.

Each is given as NAME or, for secrets mounted as files, NAME_FILE. Outside production a missing
one is made once, under the data folder with mode 0600, so that a newcomer needs to set nothing
and restarts keep everybody logged in.
"""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

MINIMUM_LENGTH = 32
"""Characters below which a production key is refused: 32 are 256 bits of hex-like text."""

PLACEHOLDERS = ("change-me", "changeme", "django-insecure-", "development-", "example", "secret")
"""Beginnings of values that people copy from examples; production refuses them."""


def read_key(name: str, *, folder: Path, production: bool) -> str:
    """Give the key called `name`.

    Args:
        name: Name of the environment variable; NAME_FILE names a file that holds the value.
        folder: Where development keeps the keys that it made itself.
        production: Whether a missing or placeholder key stops the process.

    Raises:
        ImproperlyConfigured: In production, for a missing, short or placeholder value.
    """
    value = from_environment(name)
    if production:
        return _checked(name, value)
    return value or _kept(folder / name.lower())


def read_ring(name: str, *, folder: Path, production: bool) -> dict[str, str]:
    """Give a key ring, `kid:key` pairs separated by commas; the first one signs or encrypts.

    Raises:
        ImproperlyConfigured: For a pair without a colon, a repeated kid, or (in production) a
            missing, short or placeholder key.
    """
    value = from_environment(name) or read_key(name, folder=folder, production=production)
    return parsed_ring(name, value, production=production)


def parsed_ring(name: str, text: str, *, production: bool) -> dict[str, str]:
    """Give the keys of a ring's text; a text without a colon is one key that development made.

    Raises:
        ImproperlyConfigured: As `read_ring`.
    """
    if text and ":" not in text and not production:
        return {"k1": text}
    ring: dict[str, str] = {}
    for pair in text.split(","):
        kid, colon, key = pair.strip().partition(":")
        if not (kid and colon and key):
            raise ImproperlyConfigured(f"{name} takes pairs like kid:key, separated by commas.")
        if kid in ring:
            raise ImproperlyConfigured(f"{name} names the key id {kid} twice.")
        ring[kid] = _checked(f"{name} ({kid})", key) if production else key
    return ring


def ring_file(name: str, *, folder: Path) -> Path | None:
    """Give the file that a ring was read from; None where it stands in a variable."""
    if path := os.environ.get(f"{name}_FILE"):
        return Path(path)
    return None if os.environ.get(name, "").strip() else folder / name.lower()


def from_environment(name: str) -> str:
    """Give the variable's value, or the text of the file that NAME_FILE names; empty if neither.

    Raises:
        ImproperlyConfigured: The file cannot be read.
    """
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(
                f"{name}_FILE names a file that cannot be read: {error.strerror}."
            ) from error
    return os.environ.get(name, "").strip()


def _checked(name: str, value: str) -> str:
    if not value:
        raise ImproperlyConfigured(
            f"{name} is not set. Production needs a key of its own; make one with: "
            'python -c "import secrets; print(secrets.token_urlsafe(48))"'
        )
    if len(value) < MINIMUM_LENGTH:
        raise ImproperlyConfigured(f"{name} needs at least {MINIMUM_LENGTH} characters.")
    if value.lower().startswith(PLACEHOLDERS):
        raise ImproperlyConfigured(f"{name} is a placeholder. Set a random key.")
    return value


def _kept(path: Path) -> str:
    """Read the development key at `path`, making it first if this process is the first."""
    try:
        return path.read_text(encoding="ascii")
    except FileNotFoundError:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Written aside and linked: of several starting processes one wins, none sees half a key.
    with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="ascii") as aside:
        aside.write(secrets.token_urlsafe(48))
        aside.flush()
        with suppress(FileExistsError):
            os.link(aside.name, path)
    return path.read_text(encoding="ascii")
