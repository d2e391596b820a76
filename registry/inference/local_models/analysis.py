"""A text to what can be said about it: language, sentiment, keywords, summary."""

from collections.abc import Callable
from typing import Any

from intmod_site.api.errors import FieldError, ValidationFailed
from registry.inference.calls import AnalyzeCall, AnalyzeResult, Usage
from registry.inference.local_models.analyses.keywords import find_keywords
from registry.inference.local_models.analyses.language import detect_language
from registry.inference.local_models.analyses.sentiment import analyze_sentiment
from registry.inference.local_models.analyses.summary import summarize
from registry.inference.local_models.deadline import Deadline

MODEL = "text-analysis"

# From a text and a deadline to the result, in the shape that the analysis's file documents, and
# the tokens that a model read for it.
Analysis = Callable[[str, Deadline], tuple[Any, int]]

ANALYSES: dict[str, Analysis] = {
    "language": lambda text, deadline: (detect_language(text, deadline), 0),
    "sentiment": lambda text, deadline: (analyze_sentiment(text, deadline), 0),
    "keywords": lambda text, deadline: (find_keywords(text), 0),  # noqa: ARG005
    "summary": summarize,
}


def analyze(call: AnalyzeCall, *, timeout_s: float) -> AnalyzeResult:
    """Analyse a text.

    Args:
        call: The text, and names of ANALYSES.
        timeout_s: Seconds for waiting and computing together.

    Raises:
        ValidationFailed: There is no such analysis (code analysis_not_supported).
        TooManyRequests, ServiceUnavailable, UpstreamTimeout: As ModelSlot and Deadline say.
    """
    for index, name in enumerate(call.analyses):
        if name not in ANALYSES:
            raise _not_supported(index, name)
    deadline = Deadline(timeout_s)
    results: dict[str, object] = {}
    tokens = 0
    for name in call.analyses:
        results[name], read = ANALYSES[name](call.text, deadline)
        tokens += read
    return AnalyzeResult(results, Usage(tokens))


def _not_supported(index: int, name: str) -> ValidationFailed:
    code = "analysis_not_supported"
    message = f"The analysis {name!r} is not supported; supported are {', '.join(ANALYSES)}."
    return ValidationFailed(
        f"analyses.{index}: {message}",
        fields=(FieldError(f"/analyses/{index}", code, message),),
        code=code,
    )
