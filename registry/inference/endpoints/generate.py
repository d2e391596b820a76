"""generate: a prompt in, text out."""

from registry.catalog.resolution import Target
from registry.inference.calls import ChatCall, ChatResult, Message
from registry.inference.endpoints.endpoint import (
    ContinuationRequest,
    Endpoint,
    Text,
    continuation,
    with_system,
)


class GenerateRequest(ContinuationRequest, kw_only=True):
    """A prompt, and how to continue it."""

    prompt: Text
    system: Text | None = None


def build(request: GenerateRequest, target: Target) -> ChatCall:
    """Make the prompt the one message of a conversation."""
    return continuation(
        request, target, with_system([Message("user", request.prompt)], request.system, target)
    )


def present(request: GenerateRequest, result: ChatResult) -> str:  # noqa: ARG001
    """Give the text."""
    return result.text


GENERATE = Endpoint(
    task="generate",
    summary="Continue a prompt.",
    request=GenerateRequest,
    build=build,
    present=present,
    result_schema={"type": "string"},
)
