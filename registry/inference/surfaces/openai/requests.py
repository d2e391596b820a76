"""What OpenAI's clients send. Unknown fields are refused: none is left out silently.

Source: https://platform.openai.com/docs/api-reference/chat/create and …/embeddings/create.
"""

from typing import Annotated, Any, Literal

import msgspec

Name = Annotated[str, msgspec.Meta(pattern=r"^[a-zA-Z0-9_-]{1,64}$")]
Reference = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
Text = Annotated[str, msgspec.Meta(max_length=1_000_000)]
StopText = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]
Schema = dict[str, Any]


class Strict(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Takes its fields and no others."""


class FunctionCall(Strict):
    """What a tool call calls; the arguments are JSON as the model wrote it."""

    name: Name
    arguments: Text


class ToolCall(Strict):
    """A call that an assistant's turn asked for."""

    id: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    function: FunctionCall
    type: Literal["function"] = "function"


class Turn(Strict):
    """A message; which fields it may have depends on its role."""

    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Text | Annotated[list[dict[str, Any]], msgspec.Meta(max_length=1000)] | None = None
    name: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    refusal: Text | None = None
    tool_calls: Annotated[list[ToolCall], msgspec.Meta(max_length=128)] | None = None
    tool_call_id: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    # What clients send back of an earlier answer; nothing follows from them.
    annotations: list[Any] | None = None
    audio: None = None
    function_call: None = None


class Function(Strict):
    """A function that the model may call."""

    name: Name
    description: Text = ""
    parameters: Schema = {}
    strict: bool | None = None


class Tool(Strict):
    """A tool; functions are the only kind."""

    type: Literal["function"]
    function: Function


class ChosenFunction(Strict):
    """The one that is to be called."""

    name: Name


class ChosenTool(Strict):
    """The tool that is to be called."""

    type: Literal["function"]
    function: ChosenFunction


class JSONSchema(Strict):
    """The form of the answer."""

    name: Name
    schema: Schema = {}
    description: Text | None = None
    strict: bool | None = None


class ResponseFormat(Strict):
    """Text, any JSON object, or one of a form."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JSONSchema | None = None


class StreamOptions(Strict):
    """Whether the stream ends with its usage."""

    include_usage: bool = False
    include_obfuscation: bool | None = None


class ChatCompletionRequest(Strict):
    """A conversation to continue."""

    model: Reference
    messages: Annotated[list[Turn], msgspec.Meta(min_length=1, max_length=2000)]
    max_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    max_completion_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    frequency_penalty: Annotated[float, msgspec.Meta(ge=-2, le=2)] | None = None
    presence_penalty: Annotated[float, msgspec.Meta(ge=-2, le=2)] | None = None
    seed: Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    stop: StopText | Annotated[list[StopText], msgspec.Meta(max_length=8)] | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    tools: Annotated[list[Tool], msgspec.Meta(max_length=128)] | None = None
    tool_choice: Literal["none", "auto", "required"] | ChosenTool | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    reasoning_effort: Effort | None = None
    user: Annotated[str, msgspec.Meta(max_length=500)] | None = None
    safety_identifier: Annotated[str, msgspec.Meta(max_length=500)] | None = None
    # One answer in text, as it comes: what asks for anything else is refused.
    n: Literal[1] | None = None
    logprobs: bool | None = None
    modalities: list[Literal["text"]] | None = None
    # Nothing follows from these here.
    store: bool | None = None
    metadata: dict[str, str] | None = None
    service_tier: Literal["auto", "default"] | None = None
    prompt_cache_key: str | None = None


class EmbeddingRequest(Strict):
    """Texts to embed."""

    model: Reference
    input: (
        Annotated[Text, msgspec.Meta(min_length=1)]
        | Annotated[
            list[Annotated[Text, msgspec.Meta(min_length=1)]],
            msgspec.Meta(min_length=1, max_length=2048),
        ]
    )
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: Annotated[int, msgspec.Meta(ge=1, le=100_000)] | None = None
    user: Annotated[str, msgspec.Meta(max_length=500)] | None = None
