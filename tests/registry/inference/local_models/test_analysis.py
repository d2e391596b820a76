import pytest

from intmod_site.api.errors import ServiceUnavailable, ValidationFailed
from registry.inference.calls import AnalyzeCall
from registry.inference.local_models.analyses import language, sentences, summary
from registry.inference.local_models.analyses.language import language_slot
from registry.inference.local_models.analyses.stop_words import STOP_WORDS
from registry.inference.local_models.analysis import ANALYSES, analyze
from registry.inference.local_models.package_files import PackageFile

ARTICLE = """\
The city council approved a new bicycle network on Tuesday. The bicycle network will connect the \
old town with the university and the harbour. Mr. Smith of the transport office said that \
construction starts in May. Shop owners in Main Street have collected 2,000 signatures against \
it. The council answered that the bicycle network brings more customers, not fewer. A similar \
network in the neighbouring city increased sales by 12.5 percent. "We love it," said one cyclist! \
The weather on Tuesday was sunny. Main Street will be closed in May."""


def analyzed(text, name):
    return analyze(AnalyzeCall(text, (name,)), timeout_s=30).analyses[name]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Where is the nearest railway station?", "en"),
        ("Wo ist der nächste Bahnhof, bitte?", "de"),
        ("Où se trouve la gare la plus proche ?", "fr"),
        ("¿Dónde está la estación\nde tren más cercana?", "es"),
        ("最寄りの駅はどこですか", "ja"),
        ("WHERE IS THE NEAREST RAILWAY STATION", "en"),
    ],
)
def test_language(text, code):
    found = analyzed(text, "language")
    assert found["language"] == code
    assert 0.5 < found["confidence"] <= 1
    assert [set(other) for other in found["alternatives"]] == [{"language", "confidence"}] * 2


@pytest.mark.parametrize("text", ["12345", " ", "?!"])
def test_a_text_without_letters_has_no_language(text):
    assert analyzed(text, "language")["language"] == "und"


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("I love this product, it is fantastic!", "positive"),
        ("Terrible. It broke after a day and nobody answers.", "negative"),
        ("The train leaves at nine.", "neutral"),
    ],
)
def test_sentiment(text, label):
    found = analyzed(text, "sentiment")
    assert found["label"] == label
    assert -1 <= found["score"] <= 1
    assert abs(found["positive"] + found["neutral"] + found["negative"] - 1) < 0.01


def test_the_sentiment_of_another_language_is_not_made_up():
    found = analyzed("Das ist ein furchtbar schlechtes Produkt, ich bin enttäuscht.", "sentiment")
    assert found["label"] == "unknown"
    assert found["score"] is None


def test_keywords_are_what_the_text_is_about():
    found = analyzed(ARTICLE, "keywords")
    names = [item["keyword"] for item in found]
    assert set(names[:2]) == {"bicycle network", "Main Street"}
    assert len(names) <= 10
    assert found[0]["score"] == 1
    scores = [item["score"] for item in found]
    assert scores == sorted(scores, reverse=True)
    assert not any(word in STOP_WORDS for name in names for word in name.lower().split())


@pytest.mark.parametrize("text", ["", "of the and", "!!! ??? 123"])
def test_there_may_be_no_keywords(text):
    assert analyzed(text, "keywords") == []


def test_keywords_keep_their_inner_marks():
    found = analyzed("node.js; don\u2019t; well-being; 2024", "keywords")
    assert [item["keyword"] for item in found] == ["node.js", "well-being"]


def test_a_summary_is_made_of_the_texts_own_sentences_in_their_order():
    found = analyzed(ARTICLE, "summary")
    assert 1 <= len(found["sentences"]) <= 3
    indexes = [sentence["index"] for sentence in found["sentences"]]
    assert indexes == sorted(set(indexes))
    assert all(sentence["text"] in ARTICLE for sentence in found["sentences"])
    assert found["text"] == " ".join(sentence["text"] for sentence in found["sentences"])
    assert "bicycle network" in found["text"]
    assert "weather" not in found["text"]


def test_a_summary_reads_tokens():
    assert analyze(AnalyzeCall(ARTICLE, ("summary",)), timeout_s=30).usage.input_tokens > 100
    assert analyze(AnalyzeCall(ARTICLE, ("keywords",)), timeout_s=30).usage.input_tokens == 0


def test_a_summary_of_one_sentence_is_that_sentence():
    assert analyzed("Only this.", "summary")["text"] == "Only this."


def test_a_summary_of_nothing_is_empty():
    assert analyzed(" \n ", "summary") == {"text": "", "sentences": []}


def test_a_long_sentence_is_judged_by_its_beginning():
    assert analyzed("Cats sleep. " + "word " * 400, "summary")["sentences"]


def test_too_many_sentences_are_refused():
    with pytest.raises(ValidationFailed) as caught:
        analyzed("No. " * (summary.MAX_SENTENCES_READ + 1), "summary")
    assert caught.value.error_code == "context_length_exceeded"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One. Two! Three? Four…", ["One.", "Two!", "Three?", "Four…"]),
        ("Dr. A. Smith came. He left.", ["Dr. A. Smith came.", "He left."]),
        ("It costs 12.5 dollars. e.g. this one.", ["It costs 12.5 dollars. e.g. this one."]),
        ('"Stop!" She stopped.', ['"Stop!"', "She stopped."]),
        ("A title\n\nA text over\ntwo lines", ["A title", "A text over two lines"]),
        ("これは文です。次の文です。", ["これは文です。", "次の文です。"]),
        ("", []),
    ],
)
def test_sentences(text, expected):
    assert sentences.split_sentences(text) == expected


@pytest.mark.parametrize("mark", [".", "A. ", "\n", "! ", "。"])
def test_splitting_takes_linear_time(mark):
    sentences.split_sentences(mark * 200_000)


def test_several_analyses_come_at_once_in_the_asked_order():
    result = analyze(AnalyzeCall("I love Paris.", ("sentiment", "language")), timeout_s=30)
    assert list(result.analyses) == ["sentiment", "language"]


@pytest.mark.parametrize("name", ["entities", "Language", ""])
def test_what_is_not_supported_is_refused_with_what_is(name):
    with pytest.raises(ValidationFailed) as caught:
        analyze(AnalyzeCall("text", ("language", name)), timeout_s=30)
    assert caught.value.error_code == "analysis_not_supported"
    assert caught.value.fields[0].path == "/analyses/1"
    assert all(supported in caught.value.message for supported in ANALYSES)


def test_a_missing_package_is_said_with_the_command(monkeypatch):
    monkeypatch.setattr(language_slot, "_model", None)
    monkeypatch.setattr(language, "LANGUAGE_IDENTIFIER", PackageFile("no-such-package", "x", ""))
    with pytest.raises(
        ServiceUnavailable, match=r"python manage\.py install_local_models"
    ) as caught:
        analyzed("text", "language")
    assert caught.value.error_code == "local_model_not_installed"
