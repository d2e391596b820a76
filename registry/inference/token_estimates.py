"""How many tokens a text roughly is, for where nobody counted them.

A quarter of its UTF-8 bytes: close for English, on the high side for code and most other scripts.
"""

from registry.inference.calls import Call, ChatCall, ClassifyCall, EmbedCall, Usage

BYTES_PER_TOKEN = 4
TOKENS_PER_MESSAGE = 4


def tokens_in(text_bytes: int) -> int:
    """Give the tokens of so many bytes of text; something is never nothing."""
    return -(-text_bytes // BYTES_PER_TOKEN)


def estimated_usage(call: Call, written_bytes: int) -> Usage:
    """Give the usage of a call that wrote so much text.

    Args:
        call: What was asked.
        written_bytes: UTF-8 bytes of text and tool calls that came back.
    """
    return Usage(estimated_input_tokens(call), tokens_in(written_bytes))


def estimated_input_tokens(call: Call) -> int:
    """Give the tokens that a call puts in; images and the like are not counted."""
    if isinstance(call, ChatCall):
        return sum(_message_tokens(call, at) for at in range(len(call.messages)))
    if isinstance(call, EmbedCall):
        texts = call.inputs
    elif isinstance(call, ClassifyCall):
        texts = call.texts
    else:
        texts = (call.text,)
    return sum(tokens_in(len(text.encode())) for text in texts)


def _message_tokens(call: ChatCall, at: int) -> int:
    message = call.messages[at]
    texts = [message.content] if isinstance(message.content, str) else []
    if not isinstance(message.content, str):
        texts += [part["text"] for part in message.content if isinstance(part.get("text"), str)]  # type: ignore[misc]
    texts += [asked.arguments for asked in message.tool_calls]
    return TOKENS_PER_MESSAGE + sum(tokens_in(len(text.encode())) for text in texts)
