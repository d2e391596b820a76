"""Names of event types and messages, and the patterns by which endpoints ask for them. Pure."""

import re
from collections.abc import Iterable

from intmod_site.api.errors import ValidationFailed

NAME = re.compile(r"[a-z0-9_]+(?:[.-][a-z0-9_]+)*")
_PATTERN = re.compile(r"(?:[a-z0-9_-]+\.|\*\.)*(?:[a-z0-9_-]+|\*)")
LONGEST = 100
MOST_PATTERNS = 100

AUDIT = "audit."
RESERVED = (AUDIT, "model.", "webhook.")
"""What begins so is told by the product itself; nobody else may say it."""
_OUR_ID = re.compile(r"(?:audit_[0-9]+|in_[0-9a-f]{32}(?:_[0-9]+)?)")
"""Ids of messages that tell of the audit log and of received events, made of what they tell of."""


def check_name(name: str, *, field: str = "event_type") -> None:
    """Refuse what is not a name such as `order.created`.

    Raises:
        ValidationFailed: Naming the field.
    """
    if len(name) > LONGEST or NAME.fullmatch(name) is None:
        raise ValidationFailed.of(
            field, f"Lower-case words joined by dots, at most {LONGEST} characters: order.created."
        )


def check_free(name: str, *, field: str = "event_type") -> None:
    """Refuse names that only the product itself may use.

    Raises:
        ValidationFailed: Naming the field.
    """
    if name.startswith(RESERVED):
        raise ValidationFailed.of(
            field, f"Names that begin with {', '.join(RESERVED)} are the product's own."
        )


def check_free_id(message_id: str | None) -> None:
    """Refuse a publisher's id that the product itself might give a message of the project.

    Raises:
        ValidationFailed: Who took it would keep the product from telling what it has to tell.
    """
    if message_id is not None and _OUR_ID.fullmatch(message_id):
        raise ValidationFailed.of("id", "Ids of this shape are the product's own.")


def check_patterns(patterns: object) -> None:
    """Refuse what is not a list of names and patterns.

    Raises:
        ValidationFailed: Naming the entry.
    """
    if not isinstance(patterns, list) or not 0 < len(patterns) <= MOST_PATTERNS:
        raise ValidationFailed.of("event_types", f"A list of 1 to {MOST_PATTERNS} event types.")
    for index, pattern in enumerate(patterns):
        if (
            not isinstance(pattern, str)
            or len(pattern) > LONGEST
            or _PATTERN.fullmatch(pattern) is None
        ):
            raise ValidationFailed.of(
                f"/event_types/{index}", "A name, or a pattern such as order.* or *."
            )


def asks_for_audit(patterns: Iterable[str]) -> bool:
    """Whether any of the patterns brings events of the audit log."""
    return any(pattern == "audit" or pattern.startswith(AUDIT) for pattern in patterns)


def matches(patterns: Iterable[str], name: str) -> bool:
    """Whether an endpoint with these patterns wants events of this name.

    A `*` stands for one word, at the end for one or more. What the audit log tells is only for
    those who ask for it by its first word: `*` does not.
    """
    words = name.split(".")
    return any(_fits(pattern.split("."), words) for pattern in patterns)


def _fits(pattern: list[str], words: list[str]) -> bool:
    if words[0] == "audit" and pattern[0] != "audit":
        return False
    if pattern[-1] == "*":
        if len(words) < len(pattern):
            return False
        words = words[: len(pattern)]
    if len(words) != len(pattern):
        return False
    return all(wanted in ("*", word) for wanted, word in zip(pattern, words, strict=True))
