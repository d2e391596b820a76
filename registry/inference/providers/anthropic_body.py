"""Our conversations as Anthropic's messages API takes them.

There, the system prompt stands beside the messages; a tool's answer is a block of a user's turn;
and turns are user and assistant by turns, so that neighbours of one role become one.

Source: https://platform.claude.com/docs/en/api/messages.
"""

import re
from typing import Any

import orjson

from intmod_site.api.errors import ValidationFailed
from registry.inference.calls import ChatCall, Message, Tool, ToolCall
from registry.inference.providers.adapter import refuse_fields
from registry.inference.providers.schema_subsets import for_anthropic

_DATA_URL = re.compile(r"data:([\w.+-]+/[\w.+-]+);base64,", re.ASCII)

_JSON_OBJECT = "Answer with one JSON object and nothing else."
_UNKNOWN_THERE = ("frequency_penalty", "presence_penalty", "reasoning_effort")
_TOOL_CHOICES = {"auto": "auto", "none": "none", "required": "any"}

Blocks = list[dict[str, Any]]


def body_of(call: ChatCall, model: str) -> dict[str, Any]:
    """Say what to send for a conversation.

    Raises:
        ValidationFailed: A part is of a kind that Anthropic has no block for, or a tool call's
            arguments are not a JSON object.
    """
    refuse_fields(call, _UNKNOWN_THERE, "Anthropic's API")
    system, messages = _system_and_messages(call.messages)
    body: dict[str, Any] = {"model": model, "max_tokens": call.max_tokens, "messages": messages}
    if call.json_object and call.response_schema is None:
        system = _with_text(system, _JSON_OBJECT)
    if system:
        body["system"] = system
    if call.temperature is not None:
        body["temperature"] = min(call.temperature, 1.0)
    body |= {
        name: value for name in ("top_p", "top_k") if (value := getattr(call, name)) is not None
    }
    if call.stop:
        body["stop_sequences"] = call.stop
    if call.user is not None:
        body["metadata"] = {"user_id": call.user}
    if call.tools:
        body["tools"] = [_tool(tool) for tool in call.tools]
        if (choice := _tool_choice(call)) is not None:
            body["tool_choice"] = choice
    if call.response_schema is not None:
        schema = for_anthropic(call.response_schema)
        body["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
    return body


def _with_text(system: str | Blocks, text: str) -> str | Blocks:
    if not system:
        return text
    if isinstance(system, str):
        return f"{system}\n\n{text}"
    return [*system, {"type": "text", "text": text}]


def _tool(tool: Tool) -> dict[str, Any]:
    described = {"description": tool.description} if tool.description else {}
    return {
        "name": tool.name,
        **described,
        "input_schema": tool.parameters or {"type": "object", "properties": {}},
    }


def _tool_choice(call: ChatCall) -> dict[str, Any] | None:
    chosen = call.tool_choice
    alone = call.parallel_tool_calls is False
    if chosen is None and not alone:
        return None
    kind = _TOOL_CHOICES.get(chosen or "auto", "tool")
    choice: dict[str, Any] = {"type": kind}
    if kind == "tool":
        choice["name"] = chosen
    if alone and kind != "none":
        choice["disable_parallel_tool_use"] = True
    return choice


def _system_and_messages(turns: tuple[Message, ...]) -> tuple[str | Blocks, Blocks]:
    """Give `system`, empty if there is none, and `messages`."""
    systems: list[Message] = []
    messages: list[tuple[str, list[Message]]] = []
    for turn in turns:
        if turn.role == "system":
            systems.append(turn)
            continue
        role = "assistant" if turn.role == "assistant" else "user"
        if role == "assistant" and not turn.content and not turn.tool_calls:
            # An assistant's turn may be empty here, and may not there.
            continue
        if messages and messages[-1][0] == role:
            messages[-1][1].append(turn)
        else:
            messages.append((role, [turn]))
    return _joined(systems), [{"role": role, "content": _joined(group)} for role, group in messages]


def _joined(turns: list[Message]) -> str | Blocks:
    # One plain text, the ordinary case, needs no block.
    if len(turns) == 1 and not turns[0].tool_calls and turns[0].role != "tool":
        content = turns[0].content
        if isinstance(content, str):
            return content
    return [block for turn in turns for block in _blocks(turn)]


def _blocks(turn: Message) -> Blocks:
    if turn.role == "tool":
        answer: dict[str, Any] = {"type": "tool_result", "tool_use_id": turn.tool_call_id}
        if turn.content:
            text = isinstance(turn.content, str)
            answer["content"] = turn.content if text else _content_blocks(turn.content)
        if turn.tool_failed:
            answer["is_error"] = True
        return [answer]
    return [*_content_blocks(turn.content), *(_tool_use(asked) for asked in turn.tool_calls)]


def _content_blocks(content: str | tuple[dict[str, Any], ...]) -> Blocks:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return [_block(part) for part in content if part.get("text") != ""]


def _block(part: dict[str, Any]) -> dict[str, Any]:
    match part:
        case {"type": "text", "text": str(text)} | {"type": "refusal", "refusal": str(text)}:
            block: dict[str, Any] = {"type": "text", "text": text}
        case {"type": "image_url", "image_url": {"url": str(url)}}:
            block = {"type": "image", "source": _source(url)}
        case {"type": "file", "file": {"file_data": str(url)}}:
            block = {"type": "document", "source": _source(url)}
        case _:
            raise ValidationFailed.of(
                "messages", f"Anthropic's models do not take parts of type {part.get('type')!r}."
            )
    if "cache_control" in part:
        block["cache_control"] = part["cache_control"]
    return block


def _source(url: str) -> dict[str, str]:
    if inline := _DATA_URL.match(url):
        return {"type": "base64", "media_type": inline[1], "data": url[inline.end() :]}
    return {"type": "url", "url": url}


def _tool_use(asked: ToolCall) -> dict[str, Any]:
    try:
        arguments = orjson.loads(asked.arguments or "{}")
    except orjson.JSONDecodeError:
        arguments = None
    if not isinstance(arguments, dict):
        raise ValidationFailed.of(
            "messages", f"The arguments of the tool call {asked.id} are not a JSON object."
        )
    return {"type": "tool_use", "id": asked.id, "name": asked.name, "input": arguments}
