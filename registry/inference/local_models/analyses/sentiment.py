"""Whether an English text speaks well or badly of its matter.

Result: {"label": "positive" | "neutral" | "negative" | "unknown", "score": -1…1 or null,
"positive": 0…1, "neutral": 0…1, "negative": 0…1}; the last three are shares of the text and sum
to 1. The word list is English: of a text that is clearly in another language the label is
"unknown" and the numbers are null, because "neutral" would be made up.

Source: VADER, Hutto & Gilbert 2014, https://github.com/cjhutto/vaderSentiment, with the
thresholds on its compound score that its authors recommend.
"""

from typing import Any

from registry.inference.local_models.analyses.language import detect_language
from registry.inference.local_models.deadline import Deadline
from registry.inference.local_models.model_slot import ModelSlot

_POSITIVE_FROM, _NEGATIVE_TO = 0.05, -0.05
_CLEARLY_OTHER_LANGUAGE = 0.7
_MAX_WAITING = 64


def _load() -> Any:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()


sentiment_slot: ModelSlot[Any] = ModelSlot("vader", _load, max_waiting=_MAX_WAITING)


def analyze_sentiment(text: str, deadline: Deadline) -> dict[str, Any]:
    """Rate a text.

    Raises:
        TooManyRequests, ServiceUnavailable: As ModelSlot says.
    """
    language = detect_language(text, deadline)
    if language["language"] != "en" and language["confidence"] >= _CLEARLY_OTHER_LANGUAGE:
        unrated = dict.fromkeys(("score", "positive", "neutral", "negative"))
        return {"label": "unknown", **unrated}
    with sentiment_slot.use(deadline) as rater:
        rated = rater.polarity_scores(text)
    return {
        "label": _label(rated["compound"]),
        "score": rated["compound"],
        "positive": rated["pos"],
        "neutral": rated["neu"],
        "negative": rated["neg"],
    }


def _label(score: float) -> str:
    if score >= _POSITIVE_FROM:
        return "positive"
    return "negative" if score <= _NEGATIVE_TO else "neutral"
