"""Conversations to text: SmolLM2-135M, small enough for any machine, and of demo quality."""

from collections.abc import Generator
from typing import TYPE_CHECKING

from registry.inference.calls import (
    ChatCall,
    ChatResult,
    StreamEnd,
    StreamEvent,
    TextDelta,
    Usage,
)
from registry.inference.local_models.chat_stream import ChatStream
from registry.inference.local_models.deadline import Deadline
from registry.inference.local_models.llama.plain_conversation import plain_conversation
from registry.inference.local_models.model_slot import ModelSlot
from registry.inference.local_models.package_files import SMOLLM2_WEIGHTS

if TYPE_CHECKING:
    from registry.inference.local_models.llama.chat_model import ChatModel

MODEL = "smollm2-135m-instruct"
# The file allows more, but the cost of attention grows with the square of the length.
CONTEXT_TOKENS = 2048


def _load() -> "ChatModel":
    from registry.inference.local_models.llama.chat_model import ChatModel

    return ChatModel(SMOLLM2_WEIGHTS, name=MODEL, context_tokens=CONTEXT_TOKENS)


smollm2_slot: ModelSlot["ChatModel"] = ModelSlot(MODEL, _load)


def chat(call: ChatCall, *, timeout_s: float) -> ChatResult:
    """Continue a conversation.

    Args:
        call: Messages of plain text; prompt and max_tokens together fit into CONTEXT_TOKENS.
            Without a temperature the likeliest token is taken each time.
        timeout_s: Seconds for waiting, loading and generating together.

    Raises:
        ValidationFailed: The context is too small (code context_length_exceeded), or the call
            asks for what the model cannot do (code not_supported).
        TooManyRequests, ServiceUnavailable, UpstreamTimeout: As ModelSlot and Deadline say.
    """
    text = []
    end = StreamEnd("length", Usage(0))
    for event in _events(call, Deadline(timeout_s)):
        if isinstance(event, TextDelta):
            text.append(event.text)
        elif isinstance(event, StreamEnd):
            end = event
    return ChatResult("".join(text), end.finish_reason, end.usage or Usage(0), model=end.model)


def stream(call: ChatCall, *, timeout_s: float) -> ChatStream:
    """Continue a conversation and give the text as it is made.

    Returns when there is a first event, so what is wrong from the start is raised here.

    Args:
        call: As for chat.
        timeout_s: As for chat.

    Returns:
        Text deltas, then the end with finish reason and usage; close it to stop early.

    Raises:
        ApiError: As chat does; what goes wrong later comes out of the stream.
    """
    return ChatStream(_events(call, Deadline(timeout_s)))


def _events(call: ChatCall, deadline: Deadline) -> Generator[StreamEvent]:
    messages = plain_conversation(call)
    with smollm2_slot.use(deadline) as model:
        yield from model.generate(call, messages, deadline)
