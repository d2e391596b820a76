"""What an AI endpoint is made of, and what those that continue a conversation share."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from intmod_site.api.errors import ValidationFailed
from registry.catalog.resolution import DEFAULT_MAX_TOKENS, Target
from registry.inference.calls import Call, ChatCall, Message

MAX_STOPS = 8
MAX_TEXT_LENGTH = 1_000_000

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TEXT_LENGTH)]
ModelReference = Annotated[
    str,
    msgspec.Meta(
        min_length=1,
        max_length=300,
        description="model_id, name@alias, name:number or name; the project's default if left out.",
    ),
]
StopText = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class ModelRequest(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What every request may carry."""

    model: ModelReference | None = None


class ContinuationRequest(ModelRequest, kw_only=True):
    """What requests for text may carry."""

    max_tokens: Annotated[int, msgspec.Meta(ge=1)] | None = None
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    stream: bool = False
    stop: StopText | Annotated[list[StopText], msgspec.Meta(max_length=MAX_STOPS)] | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One task of the API.

    Args:
        task: Its name, in the URL and among a version's tasks.
        summary: For the OpenAPI schema.
        request: What the body must be.
        build: From the request and the version that answers to the provider's call.
        present: From the request and the provider's result to the answer's `result`.
        result_schema: JSON Schema of that `result`.
    """

    task: str
    summary: str
    request: type[ModelRequest]
    build: Callable[[Any, Target], Call]
    present: Callable[[Any, Any], Any]
    result_schema: dict[str, Any]


def continuation(request: ContinuationRequest, target: Target, messages: list[Message]) -> ChatCall:
    """Make the call, with the version's parameters where the request is silent.

    Raises:
        ValidationFailed: max_tokens is above the version's limit.
    """
    defaults = target.parameters
    limit = target.max_tokens_limit
    max_tokens = request.max_tokens or min(defaults.get("max_tokens", DEFAULT_MAX_TOKENS), limit)
    if max_tokens > limit:
        raise ValidationFailed.of(
            "max_tokens", f"{target.model}:{target.number} gives at most {limit} tokens."
        )
    temperature = request.temperature
    if temperature is None:
        temperature = defaults.get("temperature")
    stop = request.stop if request.stop is not None else defaults.get("stop", [])
    return ChatCall(
        messages=tuple(messages),
        max_tokens=max_tokens,
        temperature=temperature,
        stop=(stop,) if isinstance(stop, str) else tuple(stop),
    )


def with_system(messages: list[Message], system: str | None, target: Target) -> list[Message]:
    """Put the system prompt in front: the request's own, else the version's, else none."""
    chosen = system or target.parameters.get("system")
    return [Message("system", chosen), *messages] if chosen else messages
