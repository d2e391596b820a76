"""analyze, embed and classify: how a request becomes a call."""

from typing import Any

import pytest

from intmod_site.api.bodies import parse_body
from intmod_site.api.errors import ValidationFailed
from registry.inference.calls import (
    AnalyzeCall,
    Classification,
    ClassifyCall,
    ClassifyResult,
    EmbedCall,
    EmbedResult,
    Label,
    LabelScore,
    Usage,
)
from registry.inference.endpoints import ENDPOINTS
from tests.registry.inference.targets import TARGET


def build(task: str, body: dict[str, Any]) -> Any:
    endpoint = ENDPOINTS[task]
    return endpoint.build(parse_body(body, endpoint.request), TARGET)


def test_analyses_are_asked_once_each() -> None:
    body = {"text": "Hi", "analyses": ["language", "sentiment", "language"]}
    assert build("analyze", body) == AnalyzeCall("Hi", ("language", "sentiment"))


def test_one_input_is_a_list_of_one() -> None:
    assert (
        build("embed", {"input": "Hi"}) == EmbedCall(("Hi",)) == build("embed", {"input": ["Hi"]})
    )


def test_embeddings_say_their_dimension() -> None:
    request = parse_body({"input": "Hi"}, ENDPOINTS["embed"].request)
    shown = ENDPOINTS["embed"].present(request, EmbedResult([[0.6, 0.8]], Usage(1)))
    assert shown == {"vectors": [[0.6, 0.8]], "dimension": 2}


def test_labels_may_be_described() -> None:
    body = {"text": "Hi", "labels": ["a", {"name": "b", "description": "the second"}]}
    assert build("classify", body) == ClassifyCall(("Hi",), (Label("a"), Label("b", "the second")))


@pytest.mark.parametrize("texts", [{}, {"text": "a", "texts": ["b"]}])
def test_classify_takes_text_or_texts(texts: dict[str, Any]) -> None:
    with pytest.raises(ValidationFailed, match="either text or texts"):
        build("classify", {"labels": ["a", "b"], **texts})


def test_a_label_stands_once() -> None:
    with pytest.raises(ValidationFailed, match="Each label once"):
        build("classify", {"text": "Hi", "labels": ["a", {"name": "a"}]})


@pytest.mark.parametrize("texts", [{"text": "x"}, {"texts": ["x"]}])
def test_classify_answers_in_the_shape_it_was_asked_in(texts: dict[str, Any]) -> None:
    endpoint = ENDPOINTS["classify"]
    request = parse_body({"labels": ["a", "b"], **texts}, endpoint.request)
    result = ClassifyResult([Classification(["a"], [LabelScore("a", 0.9)])], Usage(1))
    one = {"labels": ["a"], "scores": [{"label": "a", "score": 0.9}]}
    assert endpoint.present(request, result) == (one if "text" in texts else [one])
