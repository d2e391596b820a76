"""What surfaces fill in where their requests are silent and a version has a say."""

from intmod_site.api.errors import ValidationFailed
from registry.catalog.resolution import Target
from registry.inference.calls import Message


def max_tokens_of(asked: int | None, target: Target, *, field: str) -> int:
    """Give the length of the answer: as asked, else the version's default, else all it gives.

    Raises:
        ValidationFailed: More is asked than the version gives.
    """
    limit = target.max_tokens_limit
    if asked is None:
        return min(target.parameters.get("max_tokens", limit), limit)
    if asked > limit:
        raise ValidationFailed.of(field, f"{target.model}:{target.number} gives at most {limit}.")
    return asked


def with_default_system(messages: list[Message], target: Target) -> tuple[Message, ...]:
    """Put the version's system prompt in front where the conversation has none."""
    default = target.parameters.get("system")
    if default and not any(message.role == "system" for message in messages):
        return (Message("system", default), *messages)
    return tuple(messages)


def default_stop(target: Target) -> tuple[str, ...]:
    """Give the version's own stop texts."""
    return stop_texts(target.parameters.get("stop", []))


def stop_texts(stop: str | list[str]) -> tuple[str, ...]:
    """Take one text as a list of one."""
    return (stop,) if isinstance(stop, str) else tuple(stop)
