import math

import pytest

from intmod_site.api.errors import ValidationFailed
from registry.inference.calls import ClassifyCall, Label
from registry.inference.local_models.classification import (
    MULTI_LABEL_THRESHOLD,
    LabelVectors,
    classify,
)
from registry.inference.local_models.deadline import Deadline
from registry.inference.local_models.embedding import minilm_slot

TOPICS = tuple(map(Label, ("sports", "politics", "cooking", "finance")))
TEXTS = {
    "The striker scored twice in the final.": "sports",
    "Parliament voted on the new law after a long debate.": "politics",
    "Simmer the tomatoes with garlic and basil.": "cooking",
    "Shares fell after the bank raised interest rates.": "finance",
}


def classified(text, labels=TOPICS, *, multi_label=False):
    call = ClassifyCall((text,), tuple(labels), multi_label)
    return classify(call, timeout_s=30).classifications[0]


@pytest.mark.parametrize(("text", "label"), TEXTS.items())
def test_the_right_label_wins_clearly(text, label):
    result = classified(text)
    assert result.labels == [label]
    assert result.scores[0].label == label
    assert result.scores[0].score > 0.5


def test_single_label_scores_sum_to_one_and_come_best_first():
    scores = [score.score for score in classified("The striker scored twice.").scores]
    assert math.isclose(sum(scores), 1)
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == len(TOPICS)


def test_texts_are_classified_in_order():
    result = classify(ClassifyCall(tuple(TEXTS), TOPICS), timeout_s=30)
    assert [item.labels for item in result.classifications] == [[label] for label in TEXTS.values()]
    assert result.usage.input_tokens > 20


def test_a_description_says_what_a_name_does_not():
    labels = (
        Label("A", "problems with logging in, passwords and locked accounts"),
        Label("B", "questions about the delivery of parcels"),
    )
    assert classified("I cannot sign in any more.", labels).labels == ["A"]
    assert classified("When will my package arrive?", labels).labels == ["B"]


def test_several_labels_may_fit():
    text = "I was charged twice, and the parcel never came."
    result = classified(text, map(Label, ("billing", "shipping", "sports")), multi_label=True)
    assert sorted(result.labels) == ["billing", "shipping"]


def test_no_label_may_fit():
    result = classified(
        "Simmer the tomatoes.", map(Label, ("politics", "finance")), multi_label=True
    )
    assert result.labels == []
    assert all(0 < score.score < MULTI_LABEL_THRESHOLD for score in result.scores)


def test_a_label_is_judged_by_itself_when_several_may_fit():
    text = next(iter(TEXTS))
    alone = classified(text, [Label("sports")], multi_label=True).scores[0].score
    among = classified(text, TOPICS, multi_label=True).scores[0].score
    assert math.isclose(alone, among, abs_tol=0.02)


@pytest.mark.parametrize(
    ("text", "labels", "path"),
    [
        ("word " * 300, (Label("a"), Label("b")), "/texts/0"),
        ("fine", (Label("a"), Label("b"), Label("c", "word " * 300)), "/labels/2"),
    ],
)
def test_what_the_model_cannot_read_whole_is_refused(text, labels, path):
    with pytest.raises(ValidationFailed) as caught:
        classified(text, labels)
    assert caught.value.error_code == "context_length_exceeded"
    assert caught.value.fields[0].path == path


def test_there_must_be_a_label():
    with pytest.raises(ValidationFailed, match="labels"):
        classified("text", ())


def test_label_vectors_are_kept_within_bounds():
    kept = LabelVectors(capacity=3)
    with minilm_slot.use(Deadline(30)) as model:

        def get(*names):
            return kept.get(model, list(map(Label, names)), Deadline(30))

        first = get("a", "b", "c")
        assert get("a")[0] is first[0]
        get("d")
        assert len(kept) == 3
        # "b" was not asked for longest, so it went.
        assert get("a")[0] is first[0]
        assert get("b")[0] is not first[1]
        # A call with more labels than are kept works all the same.
        assert len(get(*"abcdefgh")) == 8
        assert len(kept) == 3
