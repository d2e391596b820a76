"""Why jobs failed, as it may be kept and shown."""

from intmod_site.redaction import redact

MAX_LENGTH = 2000


def error_text(error: BaseException) -> str:
    """Tell an exception in a line, without what may be secret."""
    return shown(f"{type(error).__name__}: {error}")


def shown(text: str) -> str:
    """Take out of a text what may be secret, and what is too long."""
    return redact(text)[:MAX_LENGTH]
