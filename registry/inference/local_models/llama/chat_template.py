"""A conversation as the one text that the model continues."""

import re
from collections.abc import Sequence

from jinja2.sandbox import ImmutableSandboxedEnvironment

from registry.inference.local_models.llama.plain_conversation import PlainMessage

DEFAULT_SYSTEM_PROMPT = (
    "You are a helpful assistant. Answer briefly and correctly. Say so if you do not know."
)

# Stands in for a message's text while the template is rendered. The two characters are of
# Unicode's private use area; it does no harm if a message contains them.
_PLACEHOLDER = "\ue000{}\ue001"


class ChatTemplate:
    """The template that a model was trained with.

    What people write never becomes a control token: only the template's own text is searched for
    them, so a message that contains `<|im_end|>` cannot end its turn or speak as the system.

    Args:
        source: The template in Jinja's language, as a model file carries it.
        control_tokens: The tokens that structure a conversation: their numbers by their text.
    """

    def __init__(self, source: str, control_tokens: dict[str, int]) -> None:
        # Sandboxed, because the template comes from a file that others made.
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        self._template = environment.from_string(source)
        self._control_tokens = control_tokens
        tokens = sorted(control_tokens, key=len, reverse=True)
        self._split = re.compile(
            "(" + "|".join(["\ue000\\d+\ue001", *map(re.escape, tokens)]) + ")"
        )

    def render(self, messages: Sequence[PlainMessage]) -> list[str | int]:
        """Give the prompt as texts and control tokens' numbers, in order.

        Args:
            messages: The conversation; without a system message, DEFAULT_SYSTEM_PROMPT leads it.
        """
        messages = with_system_prompt(messages)
        rendered = self._template.render(
            messages=[
                {"role": message.role, "content": _PLACEHOLDER.format(index)}
                for index, message in enumerate(messages)
            ],
            add_generation_prompt=True,
        )
        parts: list[str | int] = []
        text = ""
        for piece in self._split.split(rendered):
            if piece in self._control_tokens:
                parts += [text, self._control_tokens[piece]]
                text = ""
            elif piece.startswith("\ue000"):
                text += messages[int(piece[1:-1])].text
            else:
                text += piece
        return [part for part in [*parts, text] if part != ""]


def with_system_prompt(messages: Sequence[PlainMessage]) -> list[PlainMessage]:
    """Lead a conversation with DEFAULT_SYSTEM_PROMPT, unless it has a system message."""
    if any(message.role == "system" for message in messages):
        return list(messages)
    return [PlainMessage("system", DEFAULT_SYSTEM_PROMPT), *messages]
