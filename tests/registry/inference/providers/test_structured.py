"""Classification and analysis by a model that answers in JSON, well or badly."""

from typing import Any

import orjson
import pytest

from intmod_site.api.errors import ValidationFailed
from registry.inference.calls import (
    AnalyzeCall,
    AnalyzeResult,
    ChatResult,
    ClassifyCall,
    ClassifyResult,
    Label,
    LabelScore,
    Usage,
)
from registry.inference.providers import structured
from registry.inference.providers.failures import Kind
from registry.inference.providers.openai import OpenAIAdapter
from registry.inference.providers.schema_subsets import fits_openai_strict
from registry.inference.providers.structured.analysis import ANALYSES
from registry.inference.providers.upstream_errors import UpstreamError

LABELS = (Label("billing", "invoices"), Label('tech "support"'))
ONE = ClassifyCall(("My invoice is wrong.",), LABELS)
TWO = ClassifyCall(("a", "b"), LABELS, multi_label=True)
TEXT = "Ada Lovelace wrote it. Babbage built nothing. London was far."


def said(value: Any, finish_reason: str = "stop") -> ChatResult:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return ChatResult(text, finish_reason, Usage(30, 9))


def classified(call: ClassifyCall, *results: dict[str, float]) -> ClassifyResult:
    result = structured.answer(call, said({"results": results}))
    assert isinstance(result, ClassifyResult)
    return result


def analyzed(name: str, found: Any) -> Any:
    result = structured.answer(AnalyzeCall(TEXT, (name,)), said({name: found}))
    assert isinstance(result, AnalyzeResult)
    return result.analyses[name]


def test_texts_and_labels_are_put_as_data_under_their_numbers() -> None:
    asked = structured.question(ONE)
    assert asked.messages[0].role == "system"
    assert orjson.loads(str(asked.messages[1].content)) == {
        "labels": {"label_0": "billing: invoices", "label_1": 'tech "support"'},
        "texts": {"0": "My invoice is wrong."},
    }
    assert asked.response_schema is not None
    assert fits_openai_strict(asked.response_schema)


def test_scores_of_a_single_label_are_brought_to_sum_to_one() -> None:
    result = classified(ONE, {"text": 0, "label_0": 0.4, "label_1": 0.6})
    assert result.classifications[0].labels == ['tech "support"']
    halved = classified(ONE, {"text": 0, "label_0": 0.6, "label_1": 0.2}).classifications[0]
    assert halved.labels == ["billing"]
    assert halved.scores == [
        LabelScore("billing", pytest.approx(0.75)),
        LabelScore('tech "support"', pytest.approx(0.25)),
    ]
    assert result.usage == Usage(30, 9)


def test_several_labels_stand_by_themselves_and_texts_keep_their_order() -> None:
    result = classified(
        TWO, {"text": 1, "label_0": 0.1, "label_1": 7}, {"text": 0, "label_0": 0.2, "label_1": -1}
    )
    assert [item.labels for item in result.classifications] == [[], ['tech "support"']]
    assert result.classifications[1].scores[0].score == 1.0
    assert result.classifications[0].scores[1].score == 0.0


def test_json_in_a_fence_is_read() -> None:
    text = 'Here:\n```json\n{"results":[{"text":0,"label_0":1,"label_1":0}]}\n```'
    result = structured.answer(ONE, said(text))
    assert isinstance(result, ClassifyResult)
    assert result.classifications[0].labels == ["billing"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I think it is billing.",
        "{}",
        '{"results":[]}',
        '{"results":[{"text":1,"label_0":1}]}',
        '{"results":[{"text":0,"label_0":0,"label_1":0}]}',
        '{"results":[{"text":0,"label_0":"much"}]}',
    ],
)
def test_answers_of_no_use_may_be_asked_for_again(text: str) -> None:
    with pytest.raises(UpstreamError) as raised:
        structured.answer(ONE, said(text))
    assert raised.value.kind is Kind.UNUSABLE_ANSWER
    assert raised.value.retryable


def test_a_refusal_and_a_cut_are_told_apart() -> None:
    with pytest.raises(UpstreamError) as refused:
        structured.answer(ONE, said("I can't.", "content_filter"))
    assert refused.value.kind is Kind.CONTENT_FILTER
    with pytest.raises(UpstreamError) as cut:
        structured.answer(ONE, said('{"results":[{"text":0', "length"))
    assert cut.value.kind is Kind.UNUSABLE_ANSWER


def test_more_than_an_answer_can_hold_is_refused() -> None:
    with pytest.raises(ValidationFailed) as raised:
        structured.question(ClassifyCall(("x",) * 501, LABELS))
    assert raised.value.fields[0].code == "too_many"
    with pytest.raises(ValidationFailed):
        structured.question(ClassifyCall(("x",), ()))


def test_analyses_are_asked_for_together_in_a_strict_schema() -> None:
    asked = structured.question(AnalyzeCall(TEXT, tuple(ANALYSES)))
    assert asked.response_schema is not None
    assert asked.response_schema["required"] == list(ANALYSES)
    assert fits_openai_strict(asked.response_schema)
    sentences = orjson.loads(str(asked.messages[1].content))["sentences"]
    assert sentences["1"] == "Babbage built nothing."


def test_an_unknown_analysis_is_refused_by_its_place() -> None:
    with pytest.raises(ValidationFailed) as raised:
        structured.question(AnalyzeCall("x", ("language", "mood")))
    assert raised.value.error_code == "analysis_not_supported"
    assert raised.value.fields[0].path == "/analyses/1"


def test_language() -> None:
    found = {
        "language": "en",
        "confidence": 1.2,
        "alternatives": [{"language": "de", "confidence": 0.1}],
    }
    assert analyzed("language", found) == {
        "language": "en",
        "confidence": 1.0,
        "alternatives": [{"language": "de", "confidence": 0.1}],
    }


def test_sentiment_shares_sum_to_one() -> None:
    found = {"label": "positive", "score": 0.9, "positive": 3, "neutral": 1, "negative": -2}
    assert analyzed("sentiment", found) == {
        "label": "positive",
        "score": 0.9,
        "positive": 0.5,
        "neutral": 0.5,
        "negative": 0.0,
    }
    with pytest.raises(UpstreamError):
        analyzed("sentiment", {**found, "label": "splendid"})


def test_keywords_begin_with_the_best() -> None:
    found = [{"keyword": "b", "score": 0.4}, {"keyword": "a", "score": 0.8}]
    assert analyzed("keywords", found) == [
        {"keyword": "a", "score": 1.0},
        {"keyword": "b", "score": 0.5},
    ]
    assert len(analyzed("keywords", [{"keyword": "a", "score": 1}] * 20)) == 10
    assert analyzed("keywords", []) == []


def test_a_summary_rests_on_sentences_that_are_there() -> None:
    found = {
        "text": "Ada wrote.",
        "sentences": [
            {"index": 2, "score": 0.5},
            {"index": 0, "score": 2},
            {"index": 9, "score": 1},
            {"index": -1, "score": 1},
        ],
    }
    assert analyzed("summary", found) == {
        "text": "Ada wrote.",
        "sentences": [
            {"index": 0, "text": "Ada Lovelace wrote it.", "score": 1.0},
            {"index": 2, "text": "London was far.", "score": 0.5},
        ],
    }


def test_entities_are_where_the_text_has_them() -> None:
    found = [
        {"text": "Babbage", "type": "person"},
        {"text": "Ada Lovelace", "type": "countess"},
        {"text": "Turing", "type": "person"},
        {"text": "", "type": "person"},
    ]
    entities = analyzed("entities", found)
    assert entities == [
        {"text": "Ada Lovelace", "type": "other", "start": 0, "end": 12},
        {"text": "Babbage", "type": "person", "start": 23, "end": 30},
    ]
    assert all(TEXT[item["start"] : item["end"]] == item["text"] for item in entities)


def test_an_analysis_that_was_left_out() -> None:
    with pytest.raises(UpstreamError) as raised:
        structured.answer(AnalyzeCall(TEXT, ("language", "keywords")), said({"keywords": []}))
    assert raised.value.kind is Kind.UNUSABLE_ANSWER


def test_openai_is_given_no_limit_because_thoughts_would_use_it_up() -> None:
    adapter = OpenAIAdapter()
    body = orjson.loads(adapter.build(ONE, model="gpt-5", api_key="k", stream=False).body)
    assert not {"max_tokens", "max_completion_tokens"} & body.keys()
    assert body["response_format"]["json_schema"]["strict"] is True
    chat = {"content": '{"results":[{"text":0,"label_0":1,"label_1":0}]}'}
    answer = orjson.dumps({"choices": [{"message": chat, "finish_reason": "stop"}]})
    assert isinstance(adapter.parse(answer, ONE), ClassifyResult)
