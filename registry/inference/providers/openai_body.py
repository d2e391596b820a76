"""Our conversations as OpenAI's chat completions take them.

Source: https://platform.openai.com/docs/api-reference/chat/create.
"""

import re
from typing import Any

from registry.inference.calls import ChatCall, Message, Tool
from registry.inference.providers.adapter import refuse_fields
from registry.inference.providers.schema_subsets import fits_openai_strict

# OpenAI's models that think refuse `max_tokens`, which its older ones and most other servers
# know alone. By name, since nothing in the protocol says it.
_COUNTS_THOUGHTS = re.compile(r"(?:.*/)?(?:o[1-9](?:-|$)|gpt-(?:[5-9]|[1-9][0-9]))", re.IGNORECASE)


_AS_THEY_ARE = (
    "temperature", "top_p", "seed", "user", "frequency_penalty", "presence_penalty",
    "reasoning_effort",
)  # fmt: skip


def token_limit(call: ChatCall, model: str) -> dict[str, Any]:
    """Say how long the answer may be, in the field that the model knows."""
    name = "max_completion_tokens" if _COUNTS_THOUGHTS.match(model) else "max_tokens"
    return {name: call.max_tokens}


def chat_body(call: ChatCall, model: str) -> dict[str, Any]:
    """Say what to send for a conversation, its token limit left out.

    Raises:
        ValidationFailed: It says what OpenAI's protocol has no field for.
    """
    body: dict[str, Any] = {"model": model, "messages": [_message(turn) for turn in call.messages]}
    refuse_fields(call, ("top_k",), "OpenAI's protocol")
    for name in _AS_THEY_ARE:
        if (value := getattr(call, name)) is not None:
            body[name] = value
    if call.stop:
        body["stop"] = call.stop
    if call.tools:
        body["tools"] = [_tool(tool) for tool in call.tools]
        if call.tool_choice is not None:
            body["tool_choice"] = _tool_choice(call.tool_choice)
        if call.parallel_tool_calls is not None:
            body["parallel_tool_calls"] = call.parallel_tool_calls
    if call.response_schema is not None:
        body["response_format"] = _response_format(call.response_schema, call.response_schema_name)
    elif call.json_object:
        body["response_format"] = {"type": "json_object"}
    return body


def _message(turn: Message) -> dict[str, Any]:
    content: Any = turn.content
    if isinstance(content, tuple):
        # Marks for Anthropic's prompt cache may come along; here caching needs none.
        content = [{k: v for k, v in part.items() if k != "cache_control"} for part in content]
    message = {"role": turn.role, "content": content}
    if turn.tool_calls:
        message["content"] = content or None
        message["tool_calls"] = [
            {
                "id": asked.id,
                "type": "function",
                "function": {"name": asked.name, "arguments": asked.arguments},
            }
            for asked in turn.tool_calls
        ]
    if turn.tool_call_id:
        message["tool_call_id"] = turn.tool_call_id
    return message


def _tool(tool: Tool) -> dict[str, Any]:
    function: dict[str, Any] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    if tool.parameters:
        function["parameters"] = tool.parameters
    return {"type": "function", "function": function}


def _tool_choice(choice: str) -> str | dict[str, Any]:
    if choice in {"auto", "none", "required"}:
        return choice
    return {"type": "function", "function": {"name": choice}}


def _response_format(schema: dict[str, Any], name: str) -> dict[str, Any]:
    strict = fits_openai_strict(schema)
    return {
        "type": "json_schema",
        "json_schema": {"name": name, "schema": schema, "strict": strict},
    }
