"""Continues conversations: from messages to text, whichever runtime makes the tokens.

Import this module only to load the model: it imports the runtime.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

from intmod_site.api.errors import FieldError, ValidationFailed
from registry.inference.calls import ChatCall, StreamEnd, StreamEvent, TextDelta, Usage
from registry.inference.local_models.deadline import Deadline
from registry.inference.local_models.llama.chat_template import ChatTemplate
from registry.inference.local_models.llama.gguf_file import GgufFile
from registry.inference.local_models.llama.numpy_llama import NumpyLlama
from registry.inference.local_models.llama.plain_conversation import PlainMessage
from registry.inference.local_models.llama.sampling import Sampler
from registry.inference.local_models.llama.stop_texts import StopTexts
from registry.inference.local_models.llama.tokenizer import BytePairTokenizer, TextDecoder
from registry.inference.local_models.package_files import PackageFile


class Runtime(Protocol):
    """Makes tokens."""

    def tokens(self, prompt: list[int], *, max_tokens: int, sampler: Sampler) -> Iterator[int]:
        """Continue a prompt by at most `max_tokens` tokens; end tokens are given like others."""
        ...


class ChatModel:
    """The loaded model. Not for two threads at once.

    Args:
        weights: The model's GGUF file.
        name: What the model is called in results.
        context_tokens: Tokens that prompt and answer may have together; fewer if the file says so.
    """

    def __init__(self, weights: PackageFile, *, name: str, context_tokens: int) -> None:
        file = GgufFile(weights.locate())
        self.name = name
        self.context_length = min(context_tokens, file.metadata["llama.context_length"])
        self._tokenizer = BytePairTokenizer(file.metadata)
        self._template = ChatTemplate(
            file.metadata["tokenizer.chat_template"], self._tokenizer.control_tokens
        )
        self._runtime = _runtime(weights, file, self.context_length)

    def generate(
        self, call: ChatCall, messages: Sequence[PlainMessage], deadline: Deadline
    ) -> Iterator[StreamEvent]:
        """Give the answer in pieces as they are made, then the end.

        Args:
            call: How to continue.
            messages: The call's messages, as plain_conversation gives them.
            deadline: Checked before each token.

        Raises:
            ValidationFailed: The context cannot hold the prompt and the tokens asked for (code
                context_length_exceeded).
            UpstreamTimeout: The deadline passed.
        """
        prompt = self._tokenizer.encode(self._template.render(messages))
        self._check_length(len(prompt), call.max_tokens)
        sampler = Sampler(temperature=call.temperature, top_p=call.top_p, seed=call.seed)
        tokens = self._runtime.tokens(prompt, max_tokens=call.max_tokens, sampler=sampler)
        decoder, stops = TextDecoder(self._tokenizer), StopTexts(call.stop)
        output_tokens = 0
        finish_reason = "length"
        for token in tokens:
            deadline.check()
            if token in self._tokenizer.end_tokens:
                finish_reason = "stop"
                break
            output_tokens += 1
            if piece := stops.push(decoder.push(token)):
                yield TextDelta(piece)
            if stops.matched:
                finish_reason = "stop"
                break
        if rest := stops.finish():
            yield TextDelta(rest)
        yield StreamEnd(finish_reason, Usage(len(prompt), output_tokens), model=self.name)

    def _check_length(self, prompt_tokens: int, max_tokens: int) -> None:
        if prompt_tokens + max_tokens > self.context_length:
            code = "context_length_exceeded"
            message = (
                f"{prompt_tokens} tokens of prompt and {max_tokens} of answer; the model's context "
                f"has {self.context_length}."
            )
            raise ValidationFailed(
                f"messages: {message}", fields=(FieldError("/messages", code, message),), code=code
            )


def _runtime(weights: PackageFile, file: GgufFile, context_length: int) -> Runtime:
    try:
        from registry.inference.local_models.llama.llama_cpp_runtime import LlamaCpp
    except ImportError:
        return NumpyLlama(file, context_length=context_length)
    return LlamaCpp(weights.locate(), context_length=context_length)
