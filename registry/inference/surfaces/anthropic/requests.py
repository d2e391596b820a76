"""What Anthropic's clients send. Unknown fields are refused: none is left out silently.

Source: https://platform.claude.com/docs/en/api/messages/create.
"""

from typing import Annotated, Any, Literal

import msgspec

from registry.inference.surfaces.openai.requests import (
    Name,
    Reference,
    Schema,
    StopText,
    Strict,
    Text,
)

Block = dict[str, Any]
Content = Text | Annotated[list[Block], msgspec.Meta(max_length=1000)]


class Turn(Strict):
    """A message."""

    role: Literal["user", "assistant"]
    content: Content


class Tool(Strict):
    """A tool of the caller's; Anthropic's own are not offered."""

    name: Name
    input_schema: Schema
    description: Text = ""
    type: Literal["custom"] | None = None
    cache_control: Block | None = None


class ToolChoice(Strict):
    """Whether a tool is to be called, and which."""

    type: Literal["auto", "any", "tool", "none"]
    name: Name | None = None
    disable_parallel_tool_use: bool | None = None


class Metadata(Strict):
    """Whom the call is for."""

    user_id: Annotated[str, msgspec.Meta(max_length=500)] | None = None


class Thinking(Strict):
    """Thinking aloud, which is not given here."""

    type: Literal["disabled"]


class OutputFormat(Strict):
    """The form of the answer."""

    type: Literal["json_schema"]
    schema: Schema


class OutputConfig(Strict):
    """How the answer is to be."""

    format: OutputFormat | None = None


class MessagesRequest(Strict):
    """A conversation to continue."""

    model: Reference
    messages: Annotated[list[Turn], msgspec.Meta(min_length=1, max_length=2000)]
    max_tokens: Annotated[int, msgspec.Meta(ge=1)]
    system: Content | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    top_k: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)] | None = None
    stop_sequences: Annotated[list[StopText], msgspec.Meta(max_length=8)] | None = None
    stream: bool | None = None
    tools: Annotated[list[Tool], msgspec.Meta(max_length=128)] | None = None
    tool_choice: ToolChoice | None = None
    metadata: Metadata | None = None
    output_config: OutputConfig | None = None
    thinking: Thinking | None = None
    service_tier: Literal["auto", "standard_only"] | None = None
