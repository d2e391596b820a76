"""What the local language model can be asked: conversations of plain text."""

from dataclasses import dataclass

from intmod_site.api.errors import FieldError, ValidationFailed
from registry.inference.calls import ChatCall, Message

_ROLES = ("system", "user", "assistant")
_UNKNOWN_HERE = ("top_k", "frequency_penalty", "presence_penalty", "reasoning_effort")


@dataclass(frozen=True, slots=True)
class PlainMessage:
    """One turn of a conversation; `role` is system, user or assistant."""

    role: str
    text: str


def plain_conversation(call: ChatCall) -> list[PlainMessage]:
    """Give the messages of a call.

    Raises:
        ValidationFailed: The call asks for tools, for JSON or for anything but text (code
            not_supported); nothing of it is left out silently.
    """
    if call.tools:
        raise _not_supported("/tools", "calls no tools")
    for name in _UNKNOWN_HERE:
        if getattr(call, name):
            raise _not_supported(f"/{name}", f"does not know {name}")
    if call.json_object or call.response_schema is not None:
        raise _not_supported("/response_format", "cannot promise JSON")
    return [_plain(index, message) for index, message in enumerate(call.messages)]


def _plain(index: int, message: Message) -> PlainMessage:
    if message.role not in _ROLES or message.tool_calls:
        raise _not_supported(f"/messages/{index}/role", f"knows only {', '.join(_ROLES)}")
    if isinstance(message.content, str):
        return PlainMessage(message.role, message.content)
    texts = [part.get("text") for part in message.content if part.get("type") == "text"]
    if len(texts) != len(message.content) or not all(isinstance(text, str) for text in texts):
        raise _not_supported(f"/messages/{index}/content", "reads only text")
    return PlainMessage(message.role, "\n".join(map(str, texts)))


def _not_supported(path: str, what: str) -> ValidationFailed:
    message = f"The local language model {what}."
    return ValidationFailed(
        f"{path.lstrip('/').replace('/', '.')}: {message}",
        fields=(FieldError(path, "not_supported", message),),
        code="not_supported",
    )
