"""What a language model found in a text, to the shapes that analyses have.

They are those of the local analyses (see each file of local_models/analyses), with two
differences: the summary is the model's own wording, beside the sentences of the text that it rests
on; and there are entities, `[{"text", "type", "start", "end"}, …]`, offsets in characters of the
first time that the text has them, `end` behind the last one. Sentences and entities that the text
does not have are left out.
"""

from typing import Any

import msgspec

from registry.inference.local_models.analyses.sentences import split_sentences
from registry.inference.providers.failures import Kind
from registry.inference.providers.upstream_errors import UpstreamError

MAX_KEYWORDS = 10
MAX_SENTENCES = 3
ENTITY_TYPES = ("person", "organization", "location", "date", "money", "product", "event", "other")


class _Share(msgspec.Struct):
    language: str
    confidence: float


class LanguageFound(_Share):
    """A language and others that it may be."""

    alternatives: list[_Share] = []


class SentimentFound(msgspec.Struct):
    """A verdict and the shares that speak for it."""

    label: str
    score: float
    positive: float
    neutral: float
    negative: float


class KeywordFound(msgspec.Struct):
    """A word or phrase."""

    keyword: str
    score: float


class _Sentence(msgspec.Struct):
    index: int
    score: float


class SummaryFound(msgspec.Struct):
    """The model's words and the numbers of the text's sentences."""

    text: str
    sentences: list[_Sentence] = []


class EntityFound(msgspec.Struct):
    """A name in the text."""

    text: str
    type: str


def language_result(text: str, found: LanguageFound) -> dict[str, Any]:  # noqa: ARG001
    """Bring confidences between 0 and 1."""
    best, *others = (
        {"language": share.language, "confidence": _within(share.confidence, 0)}
        for share in (found, *found.alternatives)
    )
    return {**best, "alternatives": others}


def sentiment_result(text: str, found: SentimentFound) -> dict[str, Any]:  # noqa: ARG001
    """Bring the shares to sum to 1.

    Raises:
        UpstreamError: There is no label, or there are no shares.
    """
    shares = {
        name: _within(getattr(found, name), 0) for name in ("positive", "neutral", "negative")
    }
    total = sum(shares.values())
    if found.label not in shares or not total:
        raise UpstreamError(Kind.UNUSABLE_ANSWER, "The sentiment has no label or no shares.")
    shares = {name: share / total for name, share in shares.items()}
    return {"label": found.label, "score": _within(found.score, -1), **shares}


def keywords_result(text: str, found: list[KeywordFound]) -> list[dict[str, Any]]:  # noqa: ARG001
    """Give the best ones, of which the first scores 1."""
    best = max((item.score for item in found), default=0.0)
    if best <= 0:
        return []
    found = sorted(found, key=lambda item: -item.score)[:MAX_KEYWORDS]
    return [{"keyword": item.keyword, "score": _within(item.score / best, 0)} for item in found]


def summary_result(text: str, found: SummaryFound) -> dict[str, Any]:
    """Give the summary and the best of its sentences, in the text's order."""
    sentences = split_sentences(text)
    known = {item.index: item for item in found.sentences if 0 <= item.index < len(sentences)}
    best = sorted(known.values(), key=lambda item: -item.score)[:MAX_SENTENCES]
    return {
        "text": found.text,
        "sentences": [
            {"index": item.index, "text": sentences[item.index], "score": _within(item.score, 0)}
            for item in sorted(best, key=lambda item: item.index)
        ],
    }


def entities_result(text: str, found: list[EntityFound]) -> list[dict[str, Any]]:
    """Give where the text has the entities, in its order."""
    placed = {}
    for item in found:
        start = text.find(item.text) if item.text else -1
        if start >= 0:
            kind = item.type if item.type in ENTITY_TYPES else "other"
            end = start + len(item.text)
            placed[start, end] = {"text": item.text, "type": kind, "start": start, "end": end}
    return [placed[at] for at in sorted(placed)]


def _within(value: float, least: float) -> float:
    return min(1.0, max(float(least), value))
