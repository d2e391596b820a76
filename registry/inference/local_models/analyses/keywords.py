"""The words and phrases that a text is about.

Result: [{"keyword": "bicycle lane", "score": 0…1}, …], best first, at most 10; the best scores 1.

C-value (Frantzi, Ananiadou & Mima 2000): candidates are runs of up to three words between stop
words and punctuation; one scores the more, the more words it has and the more often it occurs,
not counting the occurrences that are only part of a longer candidate. Of candidates that share
most of their words, the best is shown. The stop words are English: in other languages, short
function words come along.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from registry.inference.local_models.analyses.stop_words import STOP_WORDS

MAX_KEYWORDS = 10
MAX_PHRASE_WORDS = 3
_MIN_LETTERS = 3
# A word with its inner apostrophes, hyphens and points; a mark or a line break ends a phrase.
_TOKEN = re.compile(r"[^\W_]+(?:['.+#-][^\W_]+)*|[^\w\s]|\n")

Phrase = tuple[str, ...]


def find_keywords(text: str) -> list[dict[str, Any]]:
    """Find the keywords of a text; empty if it has no words that count."""
    occurrences: Counter[Phrase] = Counter()
    as_written: dict[Phrase, str] = {}
    for words in _runs(text):
        for part in _parts(words):
            phrase = tuple(word.lower() for word in part)
            occurrences[phrase] += 1
            as_written.setdefault(phrase, " ".join(part))
    scores = _c_values(occurrences)
    chosen: list[Phrase] = []
    # The sort is stable: of equals, the one that the text has first.
    for phrase in sorted(scores, key=lambda phrase: -scores[phrase]):
        if len(chosen) == MAX_KEYWORDS or scores[phrase] == 0:
            break
        if not any(_mostly_in(phrase, other) for other in chosen):
            chosen.append(phrase)
    return [
        {"keyword": as_written[phrase], "score": round(scores[phrase] / scores[chosen[0]], 4)}
        for phrase in chosen
    ]


def _runs(text: str) -> Iterator[list[str]]:
    tokens = _TOKEN.findall(text.replace("\u2019", "'"))
    return (list(words) for counts, words in groupby(tokens, key=_counts) if counts)


def _counts(token: str) -> bool:
    letters = sum(character.isalpha() for character in token)
    return letters >= _MIN_LETTERS and token.lower() not in STOP_WORDS


def _parts(words: list[str] | Phrase) -> Iterator[list[str] | Phrase]:
    """Give each part of up to MAX_PHRASE_WORDS words."""
    for start in range(len(words)):
        for end in range(start + 1, min(start + MAX_PHRASE_WORDS, len(words)) + 1):
            yield words[start:end]


def _mostly_in(phrase: Phrase, other: Phrase) -> bool:
    return 2 * len(set(phrase) & set(other)) > len(phrase)


def _c_values(occurrences: Counter[Phrase]) -> dict[Phrase, float]:
    nesting: dict[Phrase, set[Phrase]] = {}
    for phrase in occurrences:
        for part in _parts(phrase):
            if len(part) < len(phrase):
                nesting.setdefault(tuple(part), set()).add(phrase)
    scores = {}
    for phrase, count in occurrences.items():
        longer = nesting.get(phrase, ())
        as_part = sum(occurrences[other] for other in longer) / len(longer) if longer else 0.0
        # The paper's logarithm makes nothing of a single word; here it counts 1.
        scores[phrase] = (1 + math.log2(len(phrase))) * max(0.0, count - as_part)
    return scores
