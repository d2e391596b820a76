"""A text's sentences."""

import re

_OPENING = "\"'\u201c\u2018(\\["
_CLOSING = "\"'\u201d\u2019)\\]"
# An end mark, then space and something that a sentence begins with; the full-width marks of East
# Asian scripts, which need no space; a blank line. A run of marks is only looked at from its
# first one on, so that a text of nothing but marks takes no longer than another.
_END = re.compile(
    rf"(?<![.!?\u2026])[.!?\u2026]++[{_CLOSING}]*\s+(?=[{_OPENING}]*[^\W_a-z])"
    r"|[\u3002\uff01\uff1f]+[\u300d\u300f]*"
    r"|\n\s*\n"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:mr|mrs|ms|dr|prof|sr|jr|st|vs|fig|approx|inc|ltd|co|cf|e\.g|i\.e)|\b[A-Z])\.\s*$",
    re.IGNORECASE,
)
# Enough for any of the abbreviations with what stands before it.
_LOOK_BACK = 12


def split_sentences(text: str) -> list[str]:
    """Split a text into its sentences, without the space around them.

    Blank lines end a sentence too. Initials and usual English abbreviations do not.
    """
    sentences = []
    start = 0
    for end in _END.finditer(text):
        before = text[max(start, end.start() - _LOOK_BACK) : end.start() + 2]
        if end[0].startswith(".") and _ABBREVIATION.search(before):
            continue
        sentences.append(text[start : end.end()])
        start = end.end()
    sentences.append(text[start:])
    return [" ".join(sentence.split()) for sentence in sentences if sentence.strip()]
