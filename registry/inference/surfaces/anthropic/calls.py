"""From Anthropic's requests to the gateway's calls.

A tool's answer is a block of a user's turn there and a message of its own here; images become the
parts that OpenAI's protocol has for them, as everywhere in the gateway.
"""

from typing import Any

import orjson

from intmod_site.api.errors import ValidationFailed
from registry.catalog.resolution import Target
from registry.inference.calls import ChatCall, Message, Tool, ToolCall
from registry.inference.surfaces.anthropic.requests import Block, MessagesRequest, ToolChoice, Turn
from registry.inference.surfaces.limits import default_stop, max_tokens_of, with_default_system

_CHOICES = {"auto": "auto", "any": "required", "none": "none"}
# What earlier answers thought aloud is for the model that thought it alone. Not a set: a type may
# be sent that cannot be looked up in one.
_LEFT_OUT = ("thinking", "redacted_thinking")


def conversation(request: MessagesRequest) -> list[Message]:
    """Give the messages of a request, its system prompt first.

    Raises:
        ValidationFailed: Naming the block that is none, or of a kind that is not taken.
    """
    messages = []
    if request.system:
        messages.append(Message("system", _content("/system", request.system)))
    for index, turn in enumerate(request.messages):
        messages += _messages(f"/messages/{index}/content", turn)
    choice = request.tool_choice
    if choice is not None and (choice.type == "tool") != (choice.name is not None):
        raise ValidationFailed.of("/tool_choice/name", "It goes with the type tool.")
    return messages


def chat_call(request: MessagesRequest, messages: list[Message], target: Target) -> ChatCall:
    """Give the call for one version, with its parameters where the request is silent."""
    form = request.output_config.format if request.output_config else None
    defaults, stop = target.parameters, request.stop_sequences
    choice = request.tool_choice
    return ChatCall(
        messages=with_default_system(messages, target),
        max_tokens=max_tokens_of(request.max_tokens, target, field="max_tokens"),
        temperature=(
            defaults.get("temperature") if request.temperature is None else request.temperature
        ),
        stop=default_stop(target) if stop is None else tuple(stop),
        top_p=request.top_p,
        top_k=request.top_k,
        tools=tuple(
            Tool(tool.name, tool.description, tool.input_schema) for tool in request.tools or ()
        ),
        tool_choice=_tool_choice(choice),
        parallel_tool_calls=False if choice and choice.disable_parallel_tool_use else None,
        response_schema=form.schema if form else None,
        user=request.metadata.user_id if request.metadata else None,
    )


def _tool_choice(choice: ToolChoice | None) -> str | None:
    if choice is None:
        return None
    return choice.name if choice.type == "tool" else _CHOICES[choice.type]


def _messages(at: str, turn: Turn) -> list[Message]:
    if isinstance(turn.content, str):
        return [Message(turn.role, turn.content)]
    answers: list[Message] = []
    asked: list[ToolCall] = []
    rest: list[Block] = []
    for index, block in enumerate(turn.content):
        kind = block.get("type")
        if kind == "tool_result" and turn.role == "user":
            answers.append(_tool_answer(f"{at}/{index}", block))
        elif kind == "tool_use" and turn.role == "assistant":
            asked.append(_tool_call(f"{at}/{index}", block))
        elif kind not in _LEFT_OUT:
            rest.append(_part(f"{at}/{index}", block))
    if rest or asked or not answers:
        answers.append(Message(turn.role, _plain(rest), tool_calls=tuple(asked)))
    return answers


def _content(at: str, content: str | list[Block]) -> str | tuple[Block, ...]:
    if isinstance(content, str):
        return content
    return _plain([_part(f"{at}/{index}", block) for index, block in enumerate(content)])


def _plain(parts: list[Block]) -> str | tuple[Block, ...]:
    """Give one text as text: every provider takes that."""
    if not parts:
        return ""
    if len(parts) == 1 and set(parts[0]) == {"type", "text"}:
        return str(parts[0]["text"])
    return tuple(parts)


def _tool_answer(at: str, block: Block) -> Message:
    identifier, content = block.get("tool_use_id"), block.get("content", "")
    if not isinstance(identifier, str) or not identifier:
        raise ValidationFailed.of(f"{at}/tool_use_id", "This field is required.", code="required")
    blocks = [] if isinstance(content, str) else content
    if not isinstance(blocks, list) or not all(isinstance(inner, dict) for inner in blocks):
        raise ValidationFailed.of(f"{at}/content", "A text or a list of blocks.")
    failed = block.get("is_error", False)
    if not isinstance(failed, bool | None):
        raise ValidationFailed.of(f"{at}/is_error", "True or false.")
    return Message(
        "tool",
        _content(f"{at}/content", content),
        tool_call_id=identifier,
        tool_failed=bool(failed),
    )


def _tool_call(at: str, block: Block) -> ToolCall:
    identifier, name, given = block.get("id"), block.get("name"), block.get("input", {})
    for field, value in (("id", identifier), ("name", name)):
        if not isinstance(value, str) or not value:
            raise ValidationFailed.of(f"{at}/{field}", "This field is required.", code="required")
    if not isinstance(given, dict):
        raise ValidationFailed.of(f"{at}/input", "An object.")
    return ToolCall(str(identifier), str(name), orjson.dumps(given).decode())


def _part(at: str, block: Block) -> Block:
    match block:
        case {"type": "text", "text": str(text)}:
            part: dict[str, Any] = {"type": "text", "text": text}
        case {
            "type": "image",
            "source": {"type": "base64", "media_type": str(media_type), "data": str(data)},
        }:
            url = f"data:{media_type};base64,{data}"
            part = {"type": "image_url", "image_url": {"url": url}}
        case {"type": "image", "source": {"type": "url", "url": str(url)}}:
            part = {"type": "image_url", "image_url": {"url": url}}
        case _:
            raise ValidationFailed.of(
                at, f"A block of type {str(block.get('type'))[:50]!r} is not taken here, or not so."
            )
    if isinstance(mark := block.get("cache_control"), dict):
        part["cache_control"] = mark
    return part
