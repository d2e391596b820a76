"""Tasks that a language model does when it is told to answer in JSON: classify and analyze.

For providers whose models only chat. The question is a ChatCall with a schema; the answer is read
leniently, because not every server keeps the model to the schema.
"""

from registry.inference.calls import (
    AnalyzeCall,
    AnalyzeResult,
    ChatCall,
    ChatResult,
    ClassifyCall,
    ClassifyResult,
)
from registry.inference.providers.failures import Kind
from registry.inference.providers.structured import analysis, classification
from registry.inference.providers.upstream_errors import UpstreamError


def question(call: ClassifyCall | AnalyzeCall) -> ChatCall:
    """Put a call as a conversation.

    Its `max_tokens` is more than the answer takes; where the provider can do without, it had
    better be left out, since some models think on the same account.

    Raises:
        ValidationFailed: It asks for more than one answer can hold, or for an unknown analysis.
    """
    if isinstance(call, ClassifyCall):
        return classification.question(call)
    return analysis.question(call)


def answer(call: ClassifyCall | AnalyzeCall, chat: ChatResult) -> ClassifyResult | AnalyzeResult:
    """Read the model's answer to `question(call)`.

    Raises:
        UpstreamError: The model refused (content filter), or its answer is not usable.
    """
    if chat.finish_reason == "content_filter":
        raise UpstreamError(Kind.CONTENT_FILTER, chat.text)
    if chat.finish_reason == "length":
        raise UpstreamError(Kind.UNUSABLE_ANSWER, "The answer was cut off at the token limit.")
    # Some models wrap their JSON in a fence or a sentence.
    begin, end = chat.text.find("{"), chat.text.rfind("}") + 1
    document = chat.text[begin:end] if begin >= 0 else ""
    if isinstance(call, ClassifyCall):
        return classification.answer(call, document, chat.usage)
    return analysis.answer(call, document, chat.usage)
