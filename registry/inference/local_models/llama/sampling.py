"""Chooses the next token from the model's scores."""

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

DEFAULT_TEMPERATURE = 0.0
DEFAULT_TOP_P = 0.95
COLDEST = 1e-6
"""Below this the best token is as good as certain, and scores divided by it may be infinite."""

Scores: TypeAlias = npt.NDArray[np.float64]


class Sampler:
    """How one answer's tokens are chosen, and the chance that chooses them.

    Args:
        temperature: 0 takes the best token; the higher, the more even the chances.
        top_p: Only the likeliest tokens that have this share of the probability together can be
            chosen, over 0 and up to 1.
        seed: The same seed gives the same answer; without one, every answer is different.
    """

    def __init__(
        self,
        *,
        temperature: float | None = None,
        top_p: float | None = None,
        seed: int | None = None,
    ) -> None:
        self.temperature = DEFAULT_TEMPERATURE if temperature is None else temperature
        self.top_p = DEFAULT_TOP_P if top_p is None else top_p
        # NumPy takes no negative seeds, callers may.
        self.random = np.random.default_rng(None if seed is None else seed % 2**64)

    def choose(self, logits: npt.NDArray[np.float32]) -> int:
        """Choose a token.

        First the tokens that can be chosen are found, then temperature evens their chances out:
        the order in which llama.cpp does it.

        Args:
            logits: A score for each token of the vocabulary.
        """
        if self.temperature < COLDEST:
            return int(logits.argmax())
        scores = logits.astype(np.float64)
        candidates = nucleus(_softmax(scores), self.top_p)
        chances = _softmax(scores[candidates] / self.temperature)
        return int(self.random.choice(candidates, p=chances))


def nucleus(probabilities: Scores, top_p: float) -> npt.NDArray[np.intp]:
    """Find the fewest tokens whose probabilities add up to top_p, likeliest first."""
    # All the tokens below this add up to less than 1 - top_p, so none of them is needed; leaving
    # them out saves the sorting of a whole vocabulary.
    negligible = (1 - top_p) / len(probabilities)
    likely = np.flatnonzero(probabilities >= negligible)
    likely = likely[probabilities[likely].argsort()[::-1]]
    before = probabilities[likely].cumsum() - probabilities[likely]
    return likely[before < top_p]


def _softmax(scores: Scores) -> Scores:
    weights = np.exp(scores - scores.max())
    return weights / weights.sum()
