"""From OpenAI's requests to the gateway's calls."""

from intmod_site.api.errors import ValidationFailed
from registry.catalog.resolution import Target
from registry.inference.calls import ChatCall, EmbedCall, Message, Tool, ToolCall
from registry.inference.surfaces.limits import (
    default_stop,
    max_tokens_of,
    stop_texts,
    with_default_system,
)
from registry.inference.surfaces.openai.requests import (
    ChatCompletionRequest,
    ChosenTool,
    EmbeddingRequest,
    Turn,
)

# Not a set: a type may be sent that cannot be looked up in one.
PARTS = ("file", "image_url", "input_audio", "refusal", "text")


def check(request: ChatCompletionRequest) -> None:
    """Refuse what cannot be asked of any model here.

    Raises:
        ValidationFailed: Naming the field.
    """
    if request.logprobs:
        raise ValidationFailed.of("logprobs", "They are not given here.", code="not_supported")
    if request.store:
        raise ValidationFailed.of("store", "Answers are not stored here.", code="not_supported")
    if request.max_tokens is not None and request.max_completion_tokens is not None:
        raise ValidationFailed.of("max_tokens", "Either this or max_completion_tokens.")
    form = request.response_format
    if form and (form.type == "json_schema") != (form.json_schema is not None):
        raise ValidationFailed.of("/response_format/json_schema", "It goes with its type.")
    for index, turn in enumerate(request.messages):
        _check_turn(f"/messages/{index}", turn)


def chat_call(request: ChatCompletionRequest, target: Target) -> ChatCall:
    """Give the call for one version, with its parameters where the request is silent."""
    defaults, form = target.parameters, request.response_format
    schema = form.json_schema if form else None
    asked_tokens = request.max_completion_tokens or request.max_tokens
    field = "max_completion_tokens" if request.max_completion_tokens else "max_tokens"
    stop = request.stop
    return ChatCall(
        messages=with_default_system([_message(turn) for turn in request.messages], target),
        max_tokens=max_tokens_of(asked_tokens, target, field=field),
        temperature=(
            defaults.get("temperature") if request.temperature is None else request.temperature
        ),
        stop=default_stop(target) if stop is None else stop_texts(stop),
        top_p=request.top_p,
        seed=request.seed,
        tools=tuple(
            Tool(tool.function.name, tool.function.description, tool.function.parameters)
            for tool in request.tools or ()
        ),
        tool_choice=_tool_choice(request),
        parallel_tool_calls=request.parallel_tool_calls,
        response_schema=schema.schema if schema else None,
        response_schema_name=schema.name if schema else "answer",
        json_object=form is not None and form.type == "json_object",
        user=request.safety_identifier or request.user,
        frequency_penalty=request.frequency_penalty,
        presence_penalty=request.presence_penalty,
        reasoning_effort=request.reasoning_effort,
    )


def embed_call(request: EmbeddingRequest) -> EmbedCall:
    """Give the call, a single text as a list of one."""
    texts = request.input
    return EmbedCall((texts,) if isinstance(texts, str) else tuple(texts), request.dimensions)


def _tool_choice(request: ChatCompletionRequest) -> str | None:
    choice = request.tool_choice
    return choice.function.name if isinstance(choice, ChosenTool) else choice


def _check_turn(at: str, turn: Turn) -> None:
    if turn.tool_calls and turn.role != "assistant":
        raise ValidationFailed.of(f"{at}/tool_calls", "Only an assistant's message has them.")
    if (turn.tool_call_id is not None) != (turn.role == "tool"):
        raise ValidationFailed.of(f"{at}/tool_call_id", "A tool's message has it, no other.")
    if turn.content is None and not (turn.tool_calls or turn.refusal):
        raise ValidationFailed.of(f"{at}/content", "This field is required.", code="required")
    if isinstance(turn.content, list):
        for index, part in enumerate(turn.content):
            if part.get("type") not in PARTS:
                raise ValidationFailed.of(
                    f"{at}/content/{index}/type", f"One of: {', '.join(PARTS)}."
                )
            if part["type"] == "text" and not isinstance(part.get("text"), str):
                raise ValidationFailed.of(f"{at}/content/{index}/text", "A text.", code="required")


def _message(turn: Turn) -> Message:
    content = turn.content if turn.content is not None else turn.refusal or ""
    return Message(
        role="system" if turn.role == "developer" else turn.role,
        content=content if isinstance(content, str) else tuple(content),
        tool_calls=tuple(
            ToolCall(asked.id, asked.function.name, asked.function.arguments)
            for asked in turn.tool_calls or ()
        ),
        tool_call_id=turn.tool_call_id or "",
    )
