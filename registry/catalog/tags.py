"""Tags: small pieces of text by which people find things again."""

from typing import Any

from intmod_site.api.errors import ValidationFailed

MAX_TAGS = 100
MAX_KEY_LENGTH = 250
MAX_VALUE_LENGTH = 5000


def check_tags(tags: Any) -> dict[str, str]:
    """Give the tags back.

    Raises:
        ValidationFailed: They are not a map of text to text within the limits.
    """
    if not isinstance(tags, dict) or len(tags) > MAX_TAGS:
        raise ValidationFailed.of("tags", f"An object of at most {MAX_TAGS} tags.")
    for key, value in tags.items():
        if not (isinstance(key, str) and 0 < len(key) <= MAX_KEY_LENGTH):
            raise ValidationFailed.of("tags", f"A key has 1 to {MAX_KEY_LENGTH} characters.")
        if not (isinstance(value, str) and len(value) <= MAX_VALUE_LENGTH):
            raise ValidationFailed.of(
                "tags", f"The value of {key} is text of at most {MAX_VALUE_LENGTH} characters."
            )
    return tags


def merged(tags: dict[str, str], changes: dict[str, str | None]) -> dict[str, str]:
    """Give tags with some changed; None removes one."""
    kept = {key: value for key, value in tags.items() if key not in changes}
    return kept | {key: value for key, value in changes.items() if value is not None}
