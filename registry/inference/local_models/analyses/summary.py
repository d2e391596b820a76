"""The sentences that say most of what a text says.

Result: {"text": "…", "sentences": [{"index": 0, "text": "…", "score": 0…1}, …]}; the sentences are
the text's own, in its order, at most 3; `index` counts the text's sentences from 0, `score` is the
cosine to the mean of all of them.

Maximal marginal relevance (Carbonell & Goldstein 1998): the next sentence is the one nearest to
the whole text that is not much like those taken already.
"""

from typing import Any

from intmod_site.api.errors import FieldError, ValidationFailed
from registry.inference.local_models.analyses.sentences import split_sentences
from registry.inference.local_models.deadline import Deadline
from registry.inference.local_models.embedding import CONTEXT_TOKENS, minilm_slot

MAX_SENTENCES_READ = 500
MAX_SENTENCES_SHOWN = 3
# How much being near to the whole counts against being unlike the rest.
_RELEVANCE_WEIGHT = 0.7


def summarize(text: str, deadline: Deadline) -> tuple[dict[str, Any], int]:
    """Summarize a text.

    A sentence that is longer than the embedding model's context is judged by its beginning.

    Returns:
        The result, and the tokens read.

    Raises:
        ValidationFailed: There are more than MAX_SENTENCES_READ sentences (code
            context_length_exceeded).
        TooManyRequests, ServiceUnavailable, UpstreamTimeout: As ModelSlot and Deadline say.
    """
    sentences = split_sentences(text)
    if not sentences:
        return {"text": "", "sentences": []}, 0
    _check_count(len(sentences))
    with minilm_slot.use(deadline) as model:
        tokenized = model.tokenize(sentences, truncate_to=CONTEXT_TOKENS)
        vectors = model.embed(tokenized, deadline)
    mean = vectors.mean(axis=0)
    relevance = (vectors @ (mean / (mean @ mean) ** 0.5)).tolist()
    likeness = (vectors @ vectors.T).tolist()
    wanted = max(1, min(MAX_SENTENCES_SHOWN, len(sentences) // 3))
    chosen = sorted(_most_telling(relevance, likeness, wanted))
    shown = [
        {"index": index, "text": sentences[index], "score": round(max(0.0, relevance[index]), 4)}
        for index in chosen
    ]
    summary = {"text": " ".join(sentences[index] for index in chosen), "sentences": shown}
    return summary, sum(tokenized.lengths)


def _most_telling(relevance: list[float], likeness: list[list[float]], wanted: int) -> list[int]:
    chosen: list[int] = []
    left = set(range(len(relevance)))

    def worth(index: int) -> float:
        said = max((likeness[index][other] for other in chosen), default=0.0)
        return _RELEVANCE_WEIGHT * relevance[index] - (1 - _RELEVANCE_WEIGHT) * said

    while len(chosen) < wanted:
        # Of equals the earlier one.
        best = max(sorted(left), key=worth)
        chosen.append(best)
        left.remove(best)
    return chosen


def _check_count(sentences: int) -> None:
    if sentences > MAX_SENTENCES_READ:
        code = "context_length_exceeded"
        message = f"{sentences} sentences; a summary reads at most {MAX_SENTENCES_READ}."
        raise ValidationFailed(
            f"text: {message}", fields=(FieldError("/text", code, message),), code=code
        )
