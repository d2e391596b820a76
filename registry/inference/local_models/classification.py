"""Texts to labels: a label fits a text as well as its description lies near it.

Both are placed in the vector space of the embedding model; nothing is generated.
"""

import math
from collections import OrderedDict
from collections.abc import Sequence
from typing import TYPE_CHECKING

from intmod_site.api.errors import ValidationFailed
from registry.inference.calls import (
    Classification,
    ClassifyCall,
    ClassifyResult,
    Label,
    LabelScore,
    Usage,
)
from registry.inference.local_models.deadline import Deadline
from registry.inference.local_models.embedding import (
    check_count,
    minilm_slot,
    tokenize_checked,
)

if TYPE_CHECKING:
    from registry.inference.local_models.minilm import MiniLM, Vector, Vectors

# Fitted by logistic regression on short texts of 20 topics: the slope by which a cosine becomes
# log-odds, and the cosine at which a label fits as often as not.
_SLOPE = 22.0
_EVEN_COSINE = 0.225
# The slope's counterpart where labels compete.
_TEMPERATURE = 0.05
# The score from which a label is chosen when several may be; best F1 on the same texts.
MULTI_LABEL_THRESHOLD = 0.4

_CACHED_LABELS = 2000


class LabelVectors:
    """The labels' vectors, kept from call to call: an application sends the same ones again.

    Used by whoever holds the embedding model, so by one thread at a time.

    Args:
        capacity: Vectors to keep; the one that was not asked for longest goes first.
    """

    def __init__(self, capacity: int = _CACHED_LABELS) -> None:
        self.capacity = capacity
        self._kept: OrderedDict[str, Vector] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, model: "MiniLM", labels: Sequence[Label], deadline: Deadline) -> "list[Vector]":
        """Give a vector for each label, in order.

        Raises:
            ValidationFailed: A description is longer than the model's context.
        """
        texts = [_described(label) for label in labels]
        found = {text: self._kept[text] for text in texts if text in self._kept}
        if missing := {text: index for index, text in enumerate(texts) if text not in found}:
            tokenized = tokenize_checked(
                model, list(missing), field="labels", positions=list(missing.values())
            )
            found.update(zip(missing, model.embed(tokenized, deadline), strict=True))
        for text in texts:
            self._kept[text] = found[text]
            self._kept.move_to_end(text)
        while len(self._kept) > self.capacity:
            self._kept.popitem(last=False)
        return [found[text] for text in texts]


label_vectors = LabelVectors()


def classify(call: ClassifyCall, *, timeout_s: float) -> ClassifyResult:
    """Sort texts into labels.

    With `multi_label`, each score is the chance that the label fits by itself, and the labels
    from MULTI_LABEL_THRESHOLD on are chosen, maybe none; otherwise the scores of a text sum to 1
    and the best label is chosen.

    Args:
        call: Texts and labels, each within the embedding model's context.
        timeout_s: Seconds for waiting and computing together.

    Raises:
        ValidationFailed: No labels, too many texts, or one is too long (code
            context_length_exceeded).
        TooManyRequests, ServiceUnavailable, UpstreamTimeout: As ModelSlot and Deadline say.
    """
    if not call.labels:
        raise ValidationFailed.of("labels", "Give at least one label.", code="required")
    check_count(call.texts, field="texts")
    deadline = Deadline(timeout_s)
    with minilm_slot.use(deadline) as model:
        tokenized = tokenize_checked(model, call.texts, field="texts")
        texts = model.embed(tokenized, deadline)
        labels = label_vectors.get(model, call.labels, deadline)
    names = [label.name for label in call.labels]
    classifications = [
        _classification(names, cosines, multi_label=call.multi_label)
        for cosines in _cosines(texts, labels)
    ]
    return ClassifyResult(classifications, Usage(sum(tokenized.lengths)))


def _described(label: Label) -> str:
    about = f"{label.name}: {label.description}" if label.description else label.name
    return f"This text is about {about.rstrip('.')}."


def _cosines(texts: "Vectors", labels: "list[Vector]") -> list[list[float]]:
    """Give a row of cosines for each text; of vectors of unit length it is the product."""
    columns = [(texts @ label).tolist() for label in labels]
    return [list(row) for row in zip(*columns, strict=True)]


def _classification(names: list[str], cosines: list[float], *, multi_label: bool) -> Classification:
    shares = [_fit(cosine) for cosine in cosines] if multi_label else _compete(cosines)
    scores = [LabelScore(name, share) for name, share in zip(names, shares, strict=True)]
    scores.sort(key=lambda score: score.score, reverse=True)
    if multi_label:
        chosen = [score.label for score in scores if score.score >= MULTI_LABEL_THRESHOLD]
    else:
        chosen = [scores[0].label]
    return Classification(chosen, scores)


def _fit(cosine: float) -> float:
    return 1 / (1 + math.exp(-_SLOPE * (cosine - _EVEN_COSINE)))


def _compete(cosines: list[float]) -> list[float]:
    best = max(cosines)
    weights = [math.exp((cosine - best) / _TEMPERATURE) for cosine in cosines]
    total = sum(weights)
    return [weight / total for weight in weights]
